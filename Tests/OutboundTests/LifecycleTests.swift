import Domain
import Glibc
import Logging
import Outbound
import Synchronization
import Testing

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
        let server = LoopbackServer { _ = $0.readHead() }
        try await withClient { client in
            let holder = LoopbackServer { $0.answer("") }
            // The thread is held in another transfer's event while this one is started and cancelled.
            let gate = Gate()
            let held = Mutex(false)
            let other = client.start(.to(holder.origin)) { _ in
                held.withLock { $0 = true }
                gate.wait()
            }
            client.start(.to(server.origin)) { _ in Issue.record("a cancelled transfer has no events") }.cancel()
            gate.open()
            other.cancel()
        }
        #expect(server.acceptedConnections == 0)
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
