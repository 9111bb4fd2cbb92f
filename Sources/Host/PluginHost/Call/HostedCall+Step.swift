import Domain
import PluginABI

extension HostedCall {
    /// What the caller's task gets next.
    enum Step: Sendable {
        case chunk(CallChunk, bytes: Int)
        case over(Outcome)
    }

    /// How it ended, before it is put into the caller's words.
    enum Outcome: Sendable {
        case completed(status: aib_status, bytes: [UInt8])
        case refused(status: aib_status)
        case cancelled
        case timedOut
    }
}
