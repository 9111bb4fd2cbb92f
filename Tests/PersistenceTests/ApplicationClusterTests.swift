import Domain
import Testing

@testable import Persistence

/// A private cluster that listens on a port for applications.
@Suite struct ApplicationClusterTests {
    private static func start(_ directory: String, port: Int) async throws(ClusterError) -> PrivateCluster {
        try await PrivateCluster.start(
            dataDirectory: directory, listeningOn: port, settings: ApplicationServer.settings, logger: TestServer.logger
        )
    }

    @Test func `It listens on loopback alone and keeps its port`() async throws {
        let directory = try TestServer.temporaryDirectory()
        let first = try await Self.start(directory, port: 0)
        let port = try #require(first.port)
        #expect((1...65_535).contains(port))
        let addresses = try await Self.ask("SHOW listen_addresses", first)
        #expect(addresses == "127.0.0.1")
        #expect(try await Self.ask("SHOW port", first) == String(port))

        // A server that still runs is found on its port, and nowhere else.
        let visitor = try await Self.start(directory, port: 0)
        #expect(visitor.port == port && visitor.connectionURL == first.connectionURL)
        await visitor.stop()
        let error = await #expect(throws: ClusterError.self) {
            try await Self.start(directory, port: port == 65_535 ? 1 : port + 1)
        }
        #expect(error?.message.contains("listens on port \(port)") == true)

        await first.stop()
        let second = try await Self.start(directory, port: 0)
        #expect(second.port == port)
        await second.stop()
    }

    @Test func `A port that does not exist is refused`() async throws {
        let directory = try TestServer.temporaryDirectory()
        for port in [-1, 65_536] {
            let error = await #expect(throws: ClusterError.self) { try await Self.start(directory, port: port) }
            #expect(error?.message.contains("port \(port) does not exist") == true)
        }
    }

    private static func ask(_ sql: String, _ cluster: PrivateCluster) async throws -> String? {
        let database = try await Database.connect(
            cluster.connectionURL, configuration: TestDatabase.small, logger: TestServer.logger)
        let rows = try await database.execute(Statement(nil, sql), [])
        await database.close()
        return rows.text(0, 0)
    }
}
