import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite(.timeLimit(.minutes(1))) struct RepositoryTests {
    private static let id = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    private static let path = "/v1/executions/\(id)/repository.git"
    private static let references = path + "/info/refs?service=git-upload-pack"
    private static let pack = path + "/git-upload-pack"
    private static let packType = "application/x-git-upload-pack-request"

    private func fixture() -> Fixture {
        let fixture = Fixture()
        fixture.sources.state.withLock {
            $0.owners[Self.id] = fixture.caller.userID
            $0.chunks = [Array("000e".utf8), Array("version 2\n".utf8)]
        }
        return fixture
    }

    private func basic(_ text: String) -> HTTPFields { [.authorization: "Basic \(text)"] }

    @Test func `passes git's bytes and its version on`() async throws {
        let fixture = fixture()
        try await fixture.test(.live) { client in
            var headers = fixture.key
            headers[.gitProtocol] = "version=2"
            let response = try await client.get(Self.references, headers)
            #expect(response.status == .ok && response.text == "000eversion 2\n")
            #expect(response.headers[.contentType] == "application/x-git-upload-pack-advertisement")
            #expect(response.headers[.cacheControl] == "no-store")
            headers[.contentType] = Self.packType
            let answer = try await client.post(Self.pack, "0000", headers)
            #expect(answer.text == "000eversion 2\n")
            #expect(answer.headers[.contentType] == "application/x-git-upload-pack-result")
        }
        let requests = fixture.sources.state.withLock { $0.requests }
        #expect(
            requests == [
                .init(body: nil, version: "version=2"), .init(body: Array("0000".utf8), version: "version=2"),
            ])
        #expect(fixture.sources.open == 0)
    }

    @Test func `the key may be the password of any user`() async throws {
        let fixture = fixture()
        let key = fixture.callerKey
        try await fixture.test(.live) { client in
            for user in ["x", "", "a@b.c", "aib_"] {
                let text = Base64.encode(Array("\(user):\(key)".utf8))
                let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
                #expect(try await client.get(Self.references, basic(text + padding)).status == .ok)
            }
            // Nowhere else.
            let text = Base64.encode(Array("x:\(key)".utf8))
            _ = try await client.get("/v1/templates", basic(text)).problem(.missingAPIKey)
        }
    }

    @Test func `without a key git is asked for one`() async throws {
        let fixture = fixture()
        let wrong = Base64.encode(Array("x:\(APICredentials.generate().key)".utf8))
        let cases: [(HTTPFields, String)] = [
            ([:], "missing_api_key"), ([.authorization: "Bearer x"], "missing_api_key"),
            (basic("!!!"), "invalid_api_key"), (basic(Base64.encode(Array("nocolon".utf8))), "invalid_api_key"),
            (basic(wrong), "invalid_api_key"), ([.apiKey: "x"], "invalid_api_key"),
        ]
        try await fixture.test(.live) { client in
            for (headers, code) in cases {
                let response = try await client.get(Self.references, headers)
                #expect(response.status == .unauthorized)
                #expect(response.headers[.wwwAuthenticate] == "Basic realm=\"aibackend\", charset=\"UTF-8\"")
                #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
                #expect(response.text.hasSuffix("(\(code))\n"))
                #expect(try await client.post(Self.pack, "", headers).status == .unauthorized)
            }
        }
        #expect(fixture.sources.state.withLock { $0.requests.isEmpty })
    }

    @Test func `errors are plain text with their code`() async throws {
        let fixture = fixture()
        let push = Self.path + "/info/refs?service=git-receive-pack"
        let unknown = "/v1/executions/7/repository.git/info/refs?service=git-upload-pack"
        try await fixture.test(.live) { client in
            for (path, headers, status, code) in [
                (push, fixture.key, HTTPResponse.Status.forbidden, "read_only"),
                (Self.path + "/info/refs", fixture.key, .badRequest, "invalid_parameter"),
                (Self.path + "/info/refs?service=x", fixture.key, .badRequest, "invalid_parameter"),
                (Self.references, fixture.otherKey(), .notFound, "execution_not_found"),
                (unknown, fixture.key, .notFound, "execution_not_found"),
            ] {
                let response = try await client.get(path, headers)
                #expect(response.status == status)
                #expect(response.text.hasSuffix("(\(code))\n"))
            }
            for (error, status, code) in [
                (SourceError(.conflict, "\"a\" and \"A\""), HTTPResponse.Status.conflict, "source_conflict"),
                (SourceError(.unavailable, "/secret/place"), .serviceUnavailable, "unavailable"),
            ] {
                fixture.sources.state.withLock { $0.failure = error }
                let response = try await client.get(Self.references, fixture.key)
                #expect(response.status == status)
                #expect(response.text.hasSuffix("(\(code))\n") && !response.text.contains("/secret"))
            }
        }
    }

    @Test func `a packed body is unpacked, up to a limit`() async throws {
        let fixture = fixture()
        var headers = fixture.key
        headers[.contentType] = Self.packType
        headers[.contentEncoding] = "gzip"
        try await fixture.test(.live) { [headers] client in
            func status(_ body: [UInt8], _ headers: HTTPFields) async throws -> HTTPResponse.Status {
                try await client.execute(
                    uri: Self.pack, method: .post, headers: headers, body: ByteBuffer(bytes: body)
                ).status
            }
            let answers = [
                try await status(GzipTests.fixed, headers), try await status(GzipTests.bomb, headers),
                try await status(Array("0000".utf8), headers),
            ]
            #expect(answers == [.ok, .contentTooLarge, .badRequest])
            var others = headers
            others[.contentEncoding] = "br"
            var refusals = [try await status(GzipTests.fixed, others)]
            others[.contentEncoding] = nil
            refusals.append(
                try await status([UInt8](repeating: 0x30, count: RepositoryRoutes.bodyLimit + 1), others))
            others[.contentType] = "application/json"
            refusals.append(try await status([], others))
            #expect(refusals == [.unsupportedMediaType, .contentTooLarge, .unsupportedMediaType])
        }
        #expect(fixture.sources.state.withLock { $0.requests.map(\.body) } == [GzipTests.text])
    }

    @Test func `a client that goes lets go of the stream`() async throws {
        var fixture = fixture()
        fixture.sources.state.withLock { $0.isEndless = true }
        fixture.cloneLimits = StreamLimits(perUser: 1, total: 1)
        try await fixture.test(.live) { [fixture] client in
            let port = try #require(client.port)
            let head = try await client.execute(uri: Self.references, method: .head, headers: fixture.key)
            #expect(head.status == .ok)
            while fixture.sources.open > 0 { await Task.yield() }
            try await StreamClient.get(
                Self.references, port: port, headers: ["X-API-Key: \(fixture.callerKey)"]
            ) { stream in
                _ = try await stream.head()
                let second = try await client.get(Self.references, fixture.key)
                #expect(second.status == .tooManyRequests && second.headers[.retryAfter] == "5")
                #expect(fixture.sources.open == 1)
            }
            while fixture.sources.open > 0 { await Task.yield() }
        }
    }
}
