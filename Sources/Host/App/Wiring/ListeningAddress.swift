import Domain
import Synchronization

/// Where clients reach this host: what the operator says, else where it turned out to listen.
final class ListeningAddress: Sendable {
    private let settings: Settings
    private let port = Atomic(0)

    init(_ settings: Settings) { self.settings = settings }

    func listens(on port: Int) { self.port.store(port, ordering: .releasing) }

    /// The origin, without a slash at its end.
    var url: String {
        if let url = settings.publicURL { return url.droppingTrailingSlashes }
        // Every address of this machine is no address; this machine itself is one.
        let host = ["0.0.0.0", "::"].contains(settings.host) ? "localhost" : settings.host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port.load(ordering: .acquiring))"
    }

    func repository(of execution: UUIDv7) -> String { "\(url)/v1/executions/\(execution)/repository.git" }
}
