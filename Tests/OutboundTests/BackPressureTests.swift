import Domain
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BackPressureTests {
    private static let size = 64 * 1024 * 1024

    private struct Received {
        var total = 0
        var largest = 0
    }

    @Test(arguments: [true, false])
    func aPausedTransferBlocksItsSender(pausesFromItsEvent: Bool) async throws {
        let (blocked, signal) = AsyncStream.makeStream(of: Int.self)
        let server = LoopbackServer { Self.fill($0, signal) }
        try await withClient { client in
            try await check(client, .to(server.origin, timeout: .seconds(50)), blocked, pausesFromItsEvent)
        }
    }

    @Test(arguments: [true, false])
    func aPausedStreamOfHTTP2BlocksItsSender(pausesFromItsEvent: Bool) async throws {
        let (blocked, signal) = AsyncStream.makeStream(of: Int.self)
        let server = LoopbackServer { Self.fill($0, signal) }
        let nginx = try Nginx(upstream: server.port)
        let configuration = HTTPClient.Configuration(proxy: .none, certificateAuthorities: nginx.authority)
        try await withClient(configuration) { client in
            let request = OutboundRequest.to(nginx.origin, "/upstream/", timeout: .seconds(50))
            try await check(client, request, blocked, pausesFromItsEvent)
        }
    }

    private func check(
        _ client: HTTPClient, _ request: OutboundRequest, _ blocked: AsyncStream<Int>, _ pausesFromItsEvent: Bool
    ) async throws {
        let received = Mutex(Received())
        let (ends, end) = AsyncStream.makeStream(of: ProviderError?.self)
        let paused = Mutex<(any HTTPTransfer)?>(nil)
        let transfer = client.start(request) { event in
            switch event {
            case .head: paused.withLock { $0?.pause() }
            case .data(let bytes):
                received.withLock {
                    $0 = Received(total: $0.total + bytes.count, largest: max($0.largest, bytes.count))
                }
            case .end: end.yield(nil)
            case .failed(let error): end.yield(error)
            case .writable: break
            }
        }
        if pausesFromItsEvent { paused.withLock { $0 = transfer } } else { transfer.pause() }

        var blockings = blocked.makeAsyncIterator()
        let sent = try #require(await blockings.next())
        #expect(sent < Self.size / 4, "the kernel's buffers fill, then the server has to wait")
        #expect(received.withLock { $0.total } == 0, "nothing is delivered while paused")

        transfer.resume()
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == .some(nil))
        #expect(received.withLock { $0.total } == Self.size)
        #expect(received.withLock { $0.largest } <= 16 * 1024)
    }

    /// Sends until the socket takes no more, says how much that was, then sends the rest.
    private static func fill(_ connection: Connection, _ blocked: AsyncStream<Int>.Continuation) {
        _ = connection.readHead()
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
        let block = [UInt8](repeating: 7, count: 65536)
        var sent = 0
        while sent < size / 2, connection.isWritable(within: 200) {
            sent += max(0, connection.sendWithoutWaiting(block))
        }
        blocked.yield(sent)
        while sent < size, connection.write(Array(block.prefix(size - sent))) { sent += min(block.count, size - sent) }
    }
}
