import Domain
import Glibc
import Logging
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamingTests {
    @Test func deliversHeadPiecesAndEndAsTheyCome() async throws {
        let gate = Gate()
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            connection.write(
                "HTTP/1.1 200 OK\r\nX-Mixed-CASE:  a b \r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n")
            connection.chunk("data: 1\n\n")
            gate.wait()
            connection.chunk("data: 2\n\n")
            connection.write("0\r\nt: trailer\r\n\r\n")
        }
        try await withClient { client in
            var events = Events(client, .to(server.origin)).makeAsyncIterator()
            guard case .head(200, let headers, "1.1")? = await events.next() else {
                Issue.record("no head")
                return
            }
            #expect(headers.contains(.init("x-mixed-case", "a b")))
            guard case .data(let first)? = await events.next() else {
                Issue.record("no data")
                return
            }
            #expect(first == Array("data: 1\n\n".utf8), "the first piece arrives while the server holds the second")
            gate.open()
            guard case .data(let second)? = await events.next() else {
                Issue.record("no data")
                return
            }
            #expect(second == Array("data: 2\n\n".utf8))
            guard case .end? = await events.next() else {
                Issue.record("no end")
                return
            }
            #expect(await events.next() == nil)
        }
    }

    @Test(arguments: [
        ("GET", OutboundRequest.Body.none, nil as String?), ("POST", .none, "0"),
        ("POST", .bytes(Array("{}".utf8)), "2"),
        ("PUT", .bytes([]), "0"), ("DELETE", .none, nil), ("PATCH", .bytes([0, 13, 10]), "3"), ("HEAD", .none, nil),
    ])
    func sendsWhatWasAskedAndNothingElse(method: String, body: OutboundRequest.Body, length: String?) async throws {
        let seen = Mutex<(Connection.Request, [UInt8])?>(nil)
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            let body = connection.readBody(of: head)
            seen.withLock { $0 = (head, body) }
            connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let request = OutboundRequest.to(
            server.origin, "/v1/a/../b?q=%20", method: method,
            headers: [
                .init("X-Key", "{{secret:KEY}}"), .init("X-Empty", ""), .init("x-twice", "1"), .init("x-twice", "2"),
            ],
            body: body, secrets: SecretScope(["KEY": .init("sk-live-1")]))
        let answer = try await withClient { await $0.answer(to: request) }
        #expect(answer.status == 204 && answer.isEnded && answer.body.isEmpty)
        let (head, sent) = try #require(seen.withLock { $0 })
        #expect(head.line == "\(method) /v1/a/../b?q=%20 HTTP/1.1")
        #expect(head["content-length"] == length)
        if case .bytes(let bytes) = body { #expect(sent == bytes) }
        #expect(head["x-key"] == "sk-live-1")
        #expect(head["x-empty"] == "")
        #expect(head.headers.filter { $0.name == "x-twice" }.map(\.value) == ["1", "2"])
        #expect(head["user-agent"] == "aibackend/0.1")
        for name in ["accept-encoding", "expect", "content-type", "upgrade", "cookie"] { #expect(head[name] == nil) }
    }

    @Test func anErrorStatusIsAnAnswer() async throws {
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.answer("{\"error\":1}", status: "429 Too Many Requests", headers: ["Retry-After: 3"])
        }
        let answer = try await withClient { await $0.answer(to: .to(server.origin)) }
        #expect(
            answer.status == 429 && answer["retry-after"] == "3" && answer.text == "{\"error\":1}" && answer.isEnded)
    }

    @Test func redirectsAreNotFollowed() async throws {
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.answer("", status: "302 Found", headers: ["Location: /elsewhere"])
        }
        let answer = try await withClient { await $0.answer(to: .to(server.origin)) }
        #expect(answer.status == 302 && answer["location"] == "/elsewhere")
        #expect(server.acceptedConnections == 1)
    }

    @Test func connectionsAreReused() async throws {
        let server = LoopbackServer { connection in
            while connection.readHead() != nil { connection.answer("ok") }
        }
        try await withClient { client in
            for _ in 0..<5 { #expect(await client.answer(to: .to(server.origin)).text == "ok") }
        }
        #expect(server.acceptedConnections == 1)
    }

    /// More than the system takes for a connection whose peer does not read, 4 MiB by Linux's default: else a slow
    /// writer is never refused.
    @Test(arguments: [nil, 5_000_000] as [Int64?])
    func streamsABodyThroughTheWindow(length: Int64?) async throws {
        let mayRead = Gate()
        let server = LoopbackServer(receiveBuffer: 8192) { connection in
            guard let head = connection.readHead() else { return }
            mayRead.wait()
            let sum = connection.readBody(of: head).reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
            connection.answer(
                "\(sum)", headers: ["X-Length: \(head["content-length"] ?? head["transfer-encoding"] ?? "")"])
        }
        try await withClient { client in
            let upload = Events(client, .to(server.origin, method: "POST", body: .stream(length: length)))
            var events = upload.makeAsyncIterator()
            var sum: UInt64 = 0
            var refusals = 0
            for index in 0..<500 {
                let piece = (0..<10_000).map { UInt8(truncatingIfNeeded: index &+ $0 &* 7) }
                sum = piece.reduce(into: sum) { $0 = $0 &* 31 &+ UInt64($1) }
                while !upload.transfer.write(piece) {
                    refusals += 1
                    mayRead.open()
                    guard case .writable? = await events.next() else {
                        Issue.record("not writable again")
                        return
                    }
                }
            }
            upload.transfer.finishBody()
            var answer = Answer()
            while let event = await events.next() { answer.add(event) }
            #expect(answer.text == "\(sum)")
            #expect(answer["x-length"] == length.map { "\($0)" } ?? "chunked")
            #expect(refusals > 0, "the window is bounded")
        }
    }

    @Test func aStreamedBodyMayWaitForItsNextPiece() async throws {
        let (received, signal) = AsyncStream.makeStream(of: String.self)
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            // "3\r\none\r\n" and so on: chunks as they were written.
            while let bytes = connection.read(65536) {
                signal.yield(String(decoding: bytes, as: UTF8.self))
                if bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8) { break }
            }
            connection.answer("done")
        }
        try await withClient { client in
            let upload = Events(client, .to(server.origin, method: "POST", body: .stream(length: nil)))
            var pieces = received.makeAsyncIterator()
            #expect(upload.transfer.write(Array("one".utf8)))
            var seen = await pieces.next() ?? ""
            if !seen.contains("one") { seen += await pieces.next() ?? "" }
            #expect(seen.contains("one"), "a piece is sent before the next is written")
            #expect(upload.transfer.write(Array("two".utf8)))
            upload.transfer.finishBody()
            #expect(await upload.answer().text == "done")
        }
    }

    @Test(arguments: [nil, 10] as [Int64?], ["Connection: close", "X: y"])
    func aRefusalMayComeBeforeTheBodyIsSent(length: Int64?, header: String) async throws {
        let server = LoopbackServer { connection in
            guard connection.readHead()?.line.hasPrefix("POST") == true else { return connection.answer("next") }
            connection.answer("too large", status: "413 Content Too Large", headers: [header])
            _ = connection.waitForClose()
        }
        try await withClient { client in
            let upload = Events(client, .to(server.origin, method: "POST", body: .stream(length: length)))
            #expect(upload.transfer.write([1]))
            let answer = await upload.answer()
            #expect(answer.status == 413 && answer.text == "too large" && answer.isEnded)
            #expect(upload.transfer.write([2]))
            #expect(await client.answer(to: .to(server.origin)).text == "next", "not on the half-used connection")
        }
    }

    @Test(arguments: [
        ("GET", OutboundRequest.Body.none, 3), ("DELETE", .none, 3), ("POST", .none, 2), ("POST", .bytes([1]), 2),
        ("POST", .stream(length: 1), 2), ("PUT", .bytes([1]), 2),
    ])
    func onlyHarmlessRequestsAreSentAgain(method: String, body: OutboundRequest.Body, requests: Int) async throws {
        let seen = Atomic<Int>(0)
        let server = LoopbackServer { connection in
            // The second request is read and the connection, kept from the first, is closed without an answer.
            while let head = connection.readHead() {
                _ = connection.readBody(of: head)
                if seen.add(1, ordering: .sequentiallyConsistent).newValue == 2 { return }
                connection.answer("ok")
            }
        }
        try await withClient { client in
            #expect(await client.answer(to: .to(server.origin)).text == "ok")
            let second = Events(client, .to(server.origin, method: method, body: body))
            if case .stream = body { #expect(second.transfer.write([1])) }
            let answer = await second.answer()
            #expect(seen.load(ordering: .sequentiallyConsistent) == requests)
            #expect(requests == 3 ? answer.text == "ok" : answer.error?.code == .upstream)
            #expect(requests == 3 || answer.error?.isRetryable == true)
        }
    }

    @Test func secretsAreScrubbedFromWhatComesBack() async throws {
        let server = LoopbackServer { connection in
            guard let head = connection.readHead(), let key = head["authorization"] else { return }
            connection.write("HTTP/1.1 200 OK\r\nX-Echo: <\(key)>\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.chunk("you sent \(key.dropLast(4))")
            connection.chunk("\(key.suffix(4)), and sk-li")
            connection.endChunked()
        }
        let request = OutboundRequest.to(
            server.origin, headers: [.init("Authorization", "Bearer {{secret:KEY}}")],
            secrets: SecretScope(["KEY": .init("sk-live-1")]))
        let answer = try await withClient { await $0.answer(to: request) }
        #expect(answer["x-echo"] == "<Bearer [secret]>")
        #expect(answer.text == "you sent Bearer [secret], and sk-li")
        #expect(answer.isEnded)
    }
}
