import Domain
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct HTTP2Tests {
    private func trusting(_ nginx: Nginx) -> HTTPClient.Configuration {
        HTTPClient.Configuration(proxy: .none, certificateAuthorities: nginx.authority)
    }

    @Test func negotiatesHTTP2OverVerifiedTLS() async throws {
        let nginx = try Nginx()
        let answer = try await withClient(trusting(nginx)) { await $0.answer(to: .to(nginx.origin, "/connection")) }
        #expect(answer.error == nil)
        #expect(answer.version == "2" && answer.status == 200)
        #expect(answer.text.hasSuffix("HTTP/2.0"))
    }

    @Test func concurrentRequestsShareAConnection() async throws {
        let nginx = try Nginx()
        let connections = try await withClient(trusting(nginx)) { client in
            await withTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { await client.answer(to: .to(nginx.origin, "/connection")).text } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(connections.count == 50 && Set(connections).count == 1)
        #expect(connections.first?.hasSuffix("HTTP/2.0") == true)
    }

    @Test func moreRequestsThanOneConnectionHasStreams() async throws {
        let nginx = try Nginx()
        let answers = try await withClient(trusting(nginx)) { client in
            await withTaskGroup(of: Answer.self) { group in
                for _ in 0..<300 { group.addTask { await client.answer(to: .to(nginx.origin, "/connection")) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(answers.allSatisfy { $0.status == 200 && $0.isEnded })
    }

    @Test func anUnknownAuthorityIsRefused() async throws {
        let nginx = try Nginx()
        let answer = try await withClient { await $0.answer(to: .to(nginx.origin)) }
        let error = try #require(answer.error)
        #expect(error.code == .upstream && !error.isRetryable)
        #expect(error.message.contains("the certificate of \(nginx.origin) is not trusted"))
        #expect(error.message.contains("to trust a private authority"))
    }

    @Test func aCertificateForAnotherHostIsRefused() async throws {
        let nginx = try Nginx(names: "DNS:other.example")
        let error = try #require(try await withClient(trusting(nginx)) { await $0.answer(to: .to(nginx.origin)).error })
        #expect(error.code == .upstream && !error.isRetryable)
        #expect(error.message.contains("is not trusted") && error.message.contains("localhost"))
    }

    @Test func anUnreadableAuthorityFileIsNamed() async throws {
        let nginx = try Nginx()
        let configuration = HTTPClient.Configuration(proxy: .none, certificateAuthorities: "/nowhere/ca.pem")
        let error = try #require(try await withClient(configuration) { await $0.answer(to: .to(nginx.origin)).error })
        #expect(error.code == .internal && error.message.contains("/nowhere/ca.pem"))
    }

    @Test func uploadsStreamThroughTheWindow() async throws {
        let mayRead = Gate()
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            mayRead.wait()
            connection.answer("\(connection.readBody(of: head).count)")
        }
        let nginx = try Nginx(upstream: server.port)
        try await withClient(trusting(nginx)) { client in
            let upload = Events(client, .to(nginx.origin, "/upstream/", method: "POST", body: .stream(length: nil)))
            var events = upload.makeAsyncIterator()
            let piece = [UInt8](repeating: 1, count: 50_000)
            for _ in 0..<200 {
                while !upload.transfer.write(piece) {
                    mayRead.open()
                    guard case .writable? = await events.next() else {
                        Issue.record("not writable again")
                        return
                    }
                }
            }
            mayRead.open()
            upload.transfer.finishBody()
            var answer = Answer()
            while let event = await events.next() { answer.add(event) }
            #expect(answer.text == "10000000" && answer.version == "2")
        }
    }

    /// Streams of one connection do not wait for each other: one that is paused or cancelled leaves the rest alone.
    @Test(arguments: ["pause", "cancel"])
    func oneStreamLeavesTheOthersAlone(how: String) async throws {
        let (size, otherSize) = (64_000_000, 8_000_000)
        let server = LoopbackServer { connection in
            while let head = connection.readHead() {
                let size = head.line.contains("other") ? otherSize : size
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                guard connection.write([UInt8](repeating: 7, count: size)) else { return }
            }
        }
        let nginx = try Nginx(upstream: server.port)
        try await withClient(trusting(nginx)) { client in
            let before = await client.answer(to: .to(nginx.origin, "/connection")).text
            let first = Events(client, .to(nginx.origin, "/upstream/", timeout: .seconds(40)))
            var events = first.makeAsyncIterator()
            guard case .head? = await events.next(), case .data(let start)? = await events.next() else {
                Issue.record("no answer")
                return
            }
            if how == "pause" { first.transfer.pause() } else { first.transfer.cancel() }
            // Far more than any buffer between here and nginx.
            for _ in 0..<3 {
                let other = await client.answer(to: .to(nginx.origin, "/upstream/other", timeout: .seconds(10)))
                #expect(other.body.count == otherSize && other.error == nil)
            }
            #expect(await client.answer(to: .to(nginx.origin, "/connection")).text == before, "the connection lives on")
            guard how == "pause" else { return }
            first.transfer.resume()
            var answer = Answer()
            answer.add(.data(start))
            while let event = await events.next() { answer.add(event) }
            #expect(answer.body.count == size && answer.isEnded)
        }
    }
}
