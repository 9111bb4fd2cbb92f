import Domain
import Glibc
import Logging
import Synchronization
import Testing

@testable import Outbound

@Suite(.timeLimit(.minutes(1))) struct LifecycleTests {
    /// Sends pieces until the client goes away, and says when it has.
    private static func endless(_ closed: AsyncStream<Bool>.Continuation) -> LoopbackServer {
        LoopbackServer { connection in
            _ = connection.readHead()
            connection.beginChunked()
            connection.chunk("piece")
            closed.yield(connection.waitForClose())
        }
    }

    @Test func cancelClosesTheConnectionAndSilencesTheTransfer() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Bool.self)
        let server = Self.endless(closed)
        try await withClient { client in
            let transfer = Events(client, .to(server.origin))
            var events = transfer.makeAsyncIterator()
            guard case .head? = await events.next(), case .data? = await events.next() else {
                Issue.record("no answer")
                return
            }
            transfer.transfer.cancel()
            var iterator = closings.makeAsyncIterator()
            #expect(await iterator.next() == true)
            // All methods do nothing now.
            transfer.transfer.cancel()
            transfer.transfer.pause()
            transfer.transfer.resume()
            transfer.transfer.finishBody()
            #expect(transfer.transfer.write([1]))
        }
    }

    @Test func cancelFromInsideAnEvent() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Bool.self)
        let server = Self.endless(closed)
        try await withClient { client in
            let seen = Mutex<[String]>([])
            let own = Mutex<(any HTTPTransfer)?>(nil)
            let isSet = Gate()
            let transfer = client.start(.to(server.origin)) { event in
                seen.withLock { $0.append(event.name) }
                isSet.wait()
                own.withLock { $0 }?.cancel()
            }
            own.withLock { $0 = transfer }
            isSet.open()
            var iterator = closings.makeAsyncIterator()
            #expect(await iterator.next() == true)
            #expect(seen.withLock { $0 } == ["head"])
        }
    }

    @Test func cancelBeforeTheStart() async throws {
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            line.yield(head.line)
            connection.answer("ok")
        }
        try await withClient { client in
            let holder = LoopbackServer { connection in
                _ = connection.readHead()
                connection.answer("")
            }
            // The thread is held in another transfer's event while this one is started and cancelled.
            let gate = Gate()
            let (holds, held) = AsyncStream.makeStream(of: Void.self)
            let other = client.start(.to(holder.origin)) { _ in
                held.yield()
                gate.wait()
            }
            for await _ in holds { break }
            client.start(.to(server.origin, "/cancelled")) { _ in
                Issue.record("a cancelled transfer has no events")
            }.cancel()
            gate.open()
            other.cancel()
            // Started later, so whatever the cancelled one had sent would have come before it.
            #expect(await client.answer(to: .to(server.origin, "/next")).text == "ok")
        }
        var iterator = lines.makeAsyncIterator()
        #expect(await iterator.next() == "GET /next HTTP/1.1")
        #expect(server.acceptedConnections == 1)
    }

    @Test func shutdownReturnsWhenEveryConnectionIsClosed() async throws {
        let server = LoopbackServer { connection in
            while connection.readHead() != nil { connection.answer("ok") }
        }
        let client = HTTPClient(
            configuration: .init(proxy: .none), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(await client.answer(to: .to(server.origin)).text == "ok")
        func isConnected() -> Bool { (0..<4096).contains { LoopbackServer.peerPort(of: $0) == server.port } }
        #expect(isConnected(), "the connection is kept for the next request")
        await client.shutdown()
        #expect(!isConnected())
    }

    @Test func aSocketThatCannotBeWatchedIsSaidSo() {
        var poller = Poller()
        #expect(Self.watch(-1, &poller) == false)
        let socket = LoopbackServer.listen(backlog: 1).socket
        defer { close(socket) }
        #expect(Self.watch(socket, &poller) && Self.watch(socket, &poller))
    }

    private static func watch(_ socket: Int32, _ poller: inout Poller) -> Bool {
        poller.watch(socket, readable: true, writable: false)
    }

    @Test func socketsAreNotInherited() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Bool.self)
        let server = Self.endless(closed)
        try await withClient { client in
            let transfer = Events(client, .to(server.origin))
            var events = transfer.makeAsyncIterator()
            _ = await events.next()
            let flags = (0..<1024).filter { LoopbackServer.peerPort(of: $0) == server.port }.map { fcntl($0, F_GETFD) }
            #expect(flags == [FD_CLOEXEC])
            transfer.transfer.cancel()
        }
        _ = closings
    }

    @Test func twoHundredAtOnce() async throws {
        let count = 200
        let everybody = Gate()
        let arrived = Atomic<Int>(0)
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            if arrived.add(1, ordering: .sequentiallyConsistent).newValue == count { everybody.open() }
            // Nobody is answered before all are here: they are in flight together.
            everybody.wait()
            connection.beginChunked()
            for piece in 0..<20 { connection.chunk("\(head.line.split(separator: " ")[1]) \(piece)\n") }
            connection.endChunked()
        }
        try await withClient { client in
            let texts = await withTaskGroup(of: String.self) { group in
                for index in 0..<count {
                    group.addTask { await client.answer(to: .to(server.origin, "/\(index)")).text }
                }
                return await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            let expected = (0..<count).map { index in (0..<20).map { "/\(index) \($0)\n" }.joined() }
            #expect(texts == Set(expected))
        }
    }

    @Test func oneMoreThanTheLimitIsRefused() async throws {
        let gate = Gate()
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            gate.wait()
            connection.answer("ok")
        }
        try await withClient(.init(maximumTransfers: 2, proxy: .none)) { client in
            let first = Events(client, .to(server.origin))
            let second = Events(client, .to(server.origin))
            let refused = await client.answer(to: .to(server.origin))
            #expect(refused.error?.code == .limit && refused.error?.isRetryable == true)
            gate.open()
            #expect(await first.answer().text == "ok")
            #expect(await second.answer().text == "ok")
            #expect(await client.answer(to: .to(server.origin)).text == "ok", "places are given back")
            let denied = await client.answer(to: .to("ftp://127.0.0.1"))
            #expect(denied.error?.code == .denied)
            for _ in 0..<3 { #expect(await client.answer(to: .to(server.origin)).text == "ok") }
        }
    }

    @Test func shutdownEndsWhatIsInFlight() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Bool.self)
        let server = Self.endless(closed)
        let client = HTTPClient(
            configuration: .init(proxy: .none), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let transfer = Events(client, .to(server.origin))
        var events = transfer.makeAsyncIterator()
        _ = await events.next()
        async let first: Void = client.shutdown()
        async let second: Void = client.shutdown()
        _ = await (first, second)
        var last: HTTPEvent?
        while let event = await events.next() { last = event }
        guard case .failed(let error)? = last else {
            Issue.record("no failure")
            return
        }
        #expect(error.code == .cancelled)
        var iterator = closings.makeAsyncIterator()
        #expect(await iterator.next() == true)
        let late = await client.answer(to: .to(server.origin))
        #expect(late.error?.code == .cancelled)
    }

    @Test func aClientThatIsDroppedEndsItsTransfers() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Bool.self)
        let server = Self.endless(closed)
        let transfer = Events(
            HTTPClient(
                configuration: .init(proxy: .none), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            .to(server.origin))
        let answer = await transfer.answer()
        #expect(answer.error?.code == .cancelled)
        _ = closings
    }
}

extension HTTPEvent {
    fileprivate var name: String {
        switch self {
        case .head: "head"
        case .data: "data"
        case .end: "end"
        case .writable: "writable"
        case .failed: "failed"
        }
    }
}
