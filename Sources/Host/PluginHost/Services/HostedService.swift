import Domain
import PluginABI

/// Something the host does for a call, under an id of its own.
enum HostedService: Sendable {
    /// A timer; nil until it is scheduled.
    case timer(TimerThread.ID?, call: HostedCall)
    case transfer(HostedTransfer)
    /// A request for an HMAC or a blob.
    case request

    /// Ends it without a word to the plugin.
    func end(_ timers: TimerThread) {
        switch self {
        case .timer(let timer, _): if let timer { timers.cancel(timer) }
        case .transfer(let transfer): transfer.cancel()
        case .request: break
        }
    }
}

/// Work for the call's own task, for it may suspend or take long.
struct ServiceRequest: Sendable {
    enum Work: Sendable {
        case hmac(secret: String, data: [UInt8])
        case putBlob([UInt8])
        case getBlob(digest: String, offset: UInt64, length: UInt64)
        /// Fetches the blob that a transfer sends, then starts it.
        case sendBlob(digest: String, HostedTransfer)
    }

    /// The id under which the call has adopted it.
    let id: aib_id
    let user: UInt64
    let work: Work

    var byteCount: Int {
        switch work {
        case .hmac(_, let data): data.count
        case .putBlob(let bytes): bytes.count
        case .getBlob, .sendBlob: 0
        }
    }
}
