import NIOCore
import NIOPosix

/// Finds ports of this machine that applications can be given.
enum PortReservation {
    /// Below what systems hand out by themselves, so that no outgoing connection takes one before it is used.
    private static let range = 20_000..<32_000
    private static let attempts = 200

    /// A port that nobody listens on now.
    ///
    /// - Parameter taken: reserved ports whose applications may not run at the moment.
    /// - Returns: nil where none was found.
    static func free(besides taken: Set<Int>) async -> Int? {
        for _ in 0..<attempts {
            let port = Int.random(in: range)
            guard !taken.contains(port) else { continue }
            let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            guard let channel = try? await bootstrap.bind(host: RailwayPlatform.host, port: port).get() else {
                continue
            }
            try? await channel.close()
            return port
        }
        return nil
    }
}
