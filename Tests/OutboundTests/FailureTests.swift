import Domain
import Glibc
import Logging
import Outbound
import Testing

@Suite(.timeLimit(.minutes(1))) struct FailureTests {
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ])
    func aBodyCutShortSaysSo(answer: String) async throws {
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.write(answer)
        }
        let answer = try await withClient { await $0.answer(to: .to(server.origin)) }
        #expect(answer.status == 200 && !answer.isEnded)
        let error = try #require(answer.error)
        #expect(error.code == .upstream && error.isRetryable)
        #expect(error.message.contains("was cut after 4 bytes of the body"))
    }

    @Test func aConnectionClosedBeforeAnAnswer() async throws {
        let server = LoopbackServer { _ = $0.readHead() }
        let error = try #require(try await withClient { await $0.answer(to: .to(server.origin)).error })
        #expect(error.code == .upstream && error.isRetryable)
        #expect(error.message.contains("cut before an answer"))
    }

    @Test func nobodyListens() async throws {
        let (socket, port) = LoopbackServer.listen(backlog: 1)
        close(socket)
        let error = try #require(
            try await withClient { await $0.answer(to: .to("http://127.0.0.1:\(port)")).error })
        #expect(error.code == .upstream && error.isRetryable)
        #expect(error.message.contains("no connection to http://127.0.0.1:\(port)"))
    }

    @Test func aNameThatDoesNotResolve() async throws {
        // RFC 6761: never resolves.
        let error = try #require(
            try await withClient { await $0.answer(to: .to("http://nowhere.invalid", timeout: .seconds(5))).error })
        #expect(error.isRetryable && (error.code == .upstream || error.code == .timeout))
        #expect(error.message.contains("nowhere.invalid"))
    }

    @Test func noAnswerInTime() async throws {
        let server = LoopbackServer { connection in _ = connection.waitForClose() }
        let error = try #require(
            try await withClient { await $0.answer(to: .to(server.origin, timeout: .milliseconds(50))).error })
        #expect(error.code == .timeout && error.isRetryable)
        #expect(error.message.contains("before an answer"))
    }

    @Test func noEndInTimeEvenWhilePaused() async throws {
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.beginChunked()
            connection.chunk("some")
            _ = connection.waitForClose()
        }
        try await withClient { client in
            let transfer = Events(client, .to(server.origin, timeout: .milliseconds(200)))
            transfer.transfer.pause()
            let answer = await transfer.answer()
            #expect(answer.error?.code == .timeout)
        }
    }

    @Test func noConnectionInTime() async throws {
        // A full accept queue: the kernel drops further connection requests.
        let (socket, port) = LoopbackServer.listen(backlog: 0)
        let fillers = (0..<4).map { _ in LoopbackServer.connect(port: port, isBlocking: false) }
        defer { for socket in fillers + [socket] { close(socket) } }
        let configuration = HTTPClient.Configuration(connectTimeout: .milliseconds(100), proxy: .none)
        let error = try #require(
            try await withClient(configuration) { await $0.answer(to: .to("http://127.0.0.1:\(port)")).error })
        #expect(error.code == .timeout && error.isRetryable)
        #expect(error.message == "no connection to http://127.0.0.1:\(port) within 0.1 seconds")
    }

    @Test(arguments: ["GARBAGE\r\n\r\n", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n"])
    func answersThatAreNotHTTP(answer: String) async throws {
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.write(answer)
            // A line, or a number of lines, without an end.
            let filler = answer.hasSuffix("X: ") ? "xxxxxxxx" : "X: \(String(repeating: "x", count: 1000))\r\n"
            while answer.hasPrefix("HTTP"), connection.write(filler) {}
        }
        let error = try #require(try await withClient { await $0.answer(to: .to(server.origin)).error })
        #expect(error.code == .upstream && !error.isRetryable)
    }

    @Test(arguments: [
        ("CONNECT", OutboundRequest.Body.none), ("GET X", .none), ("", .none), ("HEAD", .bytes([1])),
        ("POST", .stream(length: -1)),
    ])
    func requestsThatMakeNoSense(method: String, body: OutboundRequest.Body) async throws {
        let server = LoopbackServer { _ = $0.readHead() }
        let answer = try await withClient { await $0.answer(to: .to(server.origin, method: method, body: body)) }
        #expect(answer.error?.code == .invalid)
        #expect(server.acceptedConnections == 0)
    }

    @Test func nothingLeavesBeforeTheEgressCheck() async throws {
        let server = LoopbackServer { _ = $0.readHead() }
        var request = OutboundRequest.to(server.origin, headers: [.init("X", "{{secret:KEY}}")])
        request.egress = EgressPolicy(hosts: ["127.0.0.1"], origins: ["http://127.0.0.1:1"])
        let answer = try await withClient { [request] in await $0.answer(to: request) }
        #expect(answer.error?.code == .denied)
        #expect(answer.error?.message.contains("egress to \(server.origin)") == true, "egress is judged before secrets")
        #expect(server.acceptedConnections == 0)
    }

    @Test func anUploadThatBreaksItsAnnouncedLength() async throws {
        let server = LoopbackServer { connection in _ = connection.waitForClose() }
        try await withClient { client in
            let short = Events(client, .to(server.origin, method: "PUT", body: .stream(length: 5)))
            #expect(short.transfer.write([1, 2]))
            short.transfer.finishBody()
            #expect(await short.answer().error?.code == .invalid)
            let long = Events(client, .to(server.origin, method: "PUT", body: .stream(length: 1)))
            #expect(long.transfer.write([1, 2]))
            #expect(await long.answer().error?.code == .invalid)
        }
    }

    @Test func neitherErrorsNorLogsHoldSecretsOrQueries() async throws {
        let lines = LogLines()
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\(head.line) \(head["x"] ?? "")")
        }
        let request = OutboundRequest.to(
            server.origin, "/path?token=hidden-query", headers: [.init("X", "{{secret:KEY}}")],
            secrets: SecretScope(["KEY": .init("sk-live-1")]))
        let logger = Logger(label: "test") { _ in lines }
        let answer = try await withClient(logger: logger) { client in
            _ = await client.answer(to: .to(server.origin, headers: [.init("X", "{{secret:NOPE}} hidden-value")]))
            return await client.answer(to: request)
        }
        #expect(answer.text == "GET /path?token=hidden-query HTTP/1.1 [secret]")
        let text = lines.all.joined(separator: "\n")
        #expect(text.contains("outbound transfer over") && text.contains("outbound transfer refused"))
        for secret in ["hidden-query", "hidden-value", "sk-live"] {
            #expect(!text.contains(secret) && answer.error?.message.contains(secret) == false)
        }
    }
}
