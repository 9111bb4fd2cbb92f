import Domain
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A public port in front of a database: clients use the names that they chose, the database has its own.
///
/// The names stand in a connection's first packet, which is rewritten; every other byte passes as it is. SCRAM
/// authentication does not look at the name, so that the password is enough.
final class DatabaseProxy: Sendable {
    /// What a connection may ask for, and where it leads.
    struct Route: Sendable {
        let user: String
        let database: String
        let target: PlatformDatabase
    }

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let server: NIOAsyncChannel<Connection, Never>
    private let route = Mutex<Route?>(nil)
    let port: Int

    private init(_ server: NIOAsyncChannel<Connection, Never>, port: Int) {
        self.server = server
        self.port = port
    }

    /// A proxy that listens; it answers once `run` is called and has a route from `lead` on.
    static func listen() async throws -> DatabaseProxy {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: RailwayPlatform.host, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        return DatabaseProxy(server, port: server.channel.localAddress?.port ?? 0)
    }

    /// Where connections go from now on; nil refuses them.
    func lead(to route: Route?) { self.route.withLock { $0 = route } }

    /// Frees the port and ends its connections.
    func close() async { try? await server.channel.close() }

    /// Serves until the proxy is closed or the task cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            try? await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await self.serve(connection) }
                }
            }
            group.cancelAll()
        }
    }

    /// One client, until either side ends.
    private func serve(_ client: Connection) async {
        try? await client.executeThenClose { inbound, outbound in
            var chunks = inbound.makeAsyncIterator()
            var received = ByteBuffer()
            let packet = try await Self.startup(&chunks, &received, outbound)
            guard let route = route.withLock({ $0 }) else { return }
            let rewritten: ByteBuffer
            do {
                rewritten = try packet.rewritten(for: route)
            } catch let refusal as StartupRefusal {
                return try await outbound.write(refusal.bytes)
            }
            let target = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: route.target.host, port: route.target.port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
                }
            let rest = received
            try await target.executeThenClose { answers, upstream in
                try await upstream.write(rewritten)
                if rest.readableBytes > 0 { try await upstream.write(rest) }
                // When one side has ended the other is of no use: the client's end is seen by its reader here.
                await withDiscardingTaskGroup { group in
                    group.addTask {
                        do { for try await chunk in answers { try await outbound.write(chunk) } } catch {}
                        client.channel.close(promise: nil)
                    }
                    do { while let chunk = try await chunks.next() { try await upstream.write(chunk) } } catch {}
                    group.cancelAll()
                }
            }
        }
    }

    /// The packet that says who wants what; offers to encrypt are declined, as they are on a private network.
    private static func startup(
        _ chunks: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ received: inout ByteBuffer,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> StartupPacket {
        while true {
            if let packet = try StartupPacket(from: &received) {
                guard packet.wantsEncryption else { return packet }
                try await outbound.write(ByteBuffer(string: "N"))
                continue
            }
            guard let chunk = try await chunks.next() else { throw ChannelError.eof }
            received.writeImmutableBuffer(chunk)
        }
    }
}
