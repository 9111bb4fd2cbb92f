/// Why a sandbox does not serve.
public enum SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The address would be reachable from other machines.
    case addressNotLoopback(String)
    case portOutOfRange(Int)
    /// The server has ended, or ended before it listened.
    case notListening
    /// A fixture cannot be used.
    case invalidFixture(String)
    /// A script of faults cannot be used.
    case invalidFaults(String)

    public var description: String {
        switch self {
        case .addressNotLoopback(let address):
            "the sandbox accepts any key and may not be reachable from outside: \"\(address)\" is no loopback "
                + "address; use 127.0.0.1 or ::1"
        case .portOutOfRange(let port): "port \(port) does not exist; use 0 (any free port) to 65535"
        case .notListening: "the sandbox is not listening"
        case .invalidFixture(let reason): "invalid fixture: \(reason)"
        case .invalidFaults(let reason): "invalid faults: \(reason)"
        }
    }
}
