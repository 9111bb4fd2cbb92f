import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// Every parameter of every query, every id in a path, every header: wrong in any way, it is named and nothing is done.
@Suite struct BadParameterTests {
    static let surfaces = Surface.all.filter { !$0.parameters.isEmpty }
    static let identified = Surface.all.filter { $0.endpoint.rawValue.contains("{execution_id}") }

    @Test(arguments: surfaces) func `a value that is not acceptable is named with its parameter`(surface: Surface)
        async throws
    {
        let fixture = Fixture()
        try await fixture.test { client in
            for parameter in surface.parameters {
                for value in Malformed.parameters where !parameter.accepted.contains(value) {
                    let response = try await client.execute(
                        uri: "\(surface.path)?\(parameter.name)=\(value)", method: surface.method,
                        headers: fixture.jsonKey)
                    let comment = Comment("\(parameter.name)=\(value.prefix(60))")
                    #expect(response.headers.first { $0.name.canonicalName == "x-injected" } == nil, comment)
                    if surface.isPlainText {
                        #expect(response.status == .badRequest, comment)
                        #expect(response.text.contains("not allowed; allowed: git-upload-pack"), comment)
                        continue
                    }
                    let problem = try response.problem(.invalidParameter)
                    #expect(problem.faults == ["\(parameter.name) \(parameter.fault)"], comment)
                    #expect(response.body.readableBytes < 16 * 1_024)
                }
            }
        }
        fixture.expectNothingDone()
    }

    @Test(arguments: surfaces) func `a repeated parameter is refused once, an unknown one with those there are`(
        surface: Surface
    ) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            for parameter in surface.parameters {
                let good = "\(parameter.name)=\(parameter.good)"
                // Names are compared as they are written.
                let encoded = "%\(String(parameter.name.utf8.first!, radix: 16))\(parameter.name.dropFirst())"
                for (query, fault) in [
                    ("\(good)&\(good)", "\(parameter.name) repeated"),
                    ("\(good)&\(encoded)=x", "\(encoded) unknown_parameter"),
                ] {
                    let response = try await client.execute(
                        uri: "\(surface.path)?\(query)", method: surface.method, headers: fixture.jsonKey)
                    #expect(response.status == .badRequest)
                    guard !surface.isPlainText else { continue }
                    #expect(try response.problem(.invalidParameter).faults == [fault], "\(query)")
                }
                for name in [
                    "\(parameter.name.uppercased())", "\(parameter.name)%00", "\(parameter.name)%5B%5D", "%FF", "%20",
                ] {
                    let response = try await client.execute(
                        uri: "\(surface.path)?\(name)=1", method: surface.method, headers: fixture.jsonKey)
                    #expect(response.status == .badRequest && response.text.contains("not a parameter here"))
                }
            }
            let many = (0..<500).map { "p\($0)=1" }.joined(separator: "&")
            let response = try await client.execute(
                uri: "\(surface.path)?\(many)", method: surface.method, headers: fixture.jsonKey)
            #expect(response.status == .badRequest && response.body.readableBytes < 16 * 1_024)
        }
        fixture.expectNothingDone()
    }

    /// No id that is none reaches a port, and none is told from that of somebody else's execution.
    @Test(arguments: identified) func `an id that is none is an execution that is not there`(surface: Surface)
        async throws
    {
        let fixture = Fixture()
        try await fixture.test { client in
            for id in Malformed.ids {
                var headers = fixture.jsonKey
                if surface.endpoint == .uploadPack { headers[.contentType] = "application/x-git-upload-pack-request" }
                var uri = surface.endpoint.rawValue.replacing("{execution_id}", with: id)
                if surface.endpoint == .references { uri += "?service=git-upload-pack" }
                let response = try await client.execute(uri: uri, method: surface.method, headers: headers)
                #expect(response.status == .notFound && response.body.readableBytes < 16 * 1_024, "\(id.prefix(60))")
                if surface.isPlainText {
                    #expect(response.text.hasSuffix("(execution_not_found)\n"))
                } else {
                    _ = try response.problem(.executionNotFound)
                }
            }
        }
        fixture.expectNothingDone()
    }

    @Test func `an id that can be no template's is named`() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            for id in Malformed.ids where !id.hasPrefix("00000000") && id.utf8.count < 1_000 || id.utf8.count > 200 {
                let uri = Endpoint.execute.rawValue.replacing("{template_id}", with: id)
                let problem = try await client.post(uri, Surface.execute.body(), fixture.jsonKey).problem(
                    .invalidParameter)
                #expect(problem.faults == ["template_id invalid_template_id"], "\(id.prefix(60))")
            }
        }
        fixture.expectNothingDone()
    }
}

/// Headers that a client writes.
@Suite struct BadHeaderTests {
    private static let texts = [
        "", " ", "x", "null", "0", "-1", "1e400", "{}", "\"", "a,b", "\t", "{{x}}", "é", "\u{202E}", "\u{FF}",
        String(repeating: "h", count: 15_000),
    ]

    @Test(arguments: Surface.all.filter(\.needsKey)) func `a key that is none lets nobody in`(surface: Surface)
        async throws
    {
        let fixture = Fixture()
        let key = fixture.callerKey
        let wrong =
            Self.texts + [
                String(key.dropLast()), key + "A", key.uppercased(), "\(key), \(key)", " \(key) x", "Bearer \(key)",
                "aib_" + String(repeating: "=", count: 43), "aib_" + String(repeating: "é", count: 21) + "a",
            ]
        try await fixture.test { client in
            for text in wrong {
                var headers = fixture.jsonKey
                headers[.apiKey] = text
                let response = try await client.execute(
                    uri: surface.path, method: surface.method, headers: headers,
                    body: ByteBuffer(string: surface.body()))
                #expect(response.status == .unauthorized, "\(text.prefix(60))")
                #expect(response.headers[.wwwAuthenticate] != nil && !response.text.contains(key))
            }
        }
        fixture.expectNothingDone()
    }

    @Test(arguments: Surface.all.filter { $0.headers.contains(.authorization) })
    func `a password that is none lets nobody in`(surface: Surface) async throws {
        let fixture = Fixture()
        let bytes: [[UInt8]] = [[], [0x3A], [0xFF, 0x3A, 0xFF], [0x3A, 0x00], Array("x:\(fixture.callerKey)\n".utf8)]
        let wrong =
            [
                "Basic", "Basic ", "Basic !!!", "Basic =", "Basic ====", "Basic A", "Digest x",
                "Bearer \(fixture.callerKey)",
            ]
            + bytes.map { "Basic \(Base64.encode($0))" } + Self.texts.map { "Basic \($0)" }
        try await fixture.test { client in
            for text in wrong {
                let response = try await client.execute(
                    uri: surface.path, method: surface.method, headers: [.authorization: text])
                #expect(response.status == .unauthorized, "\(text.prefix(60))")
            }
        }
        fixture.expectNothingDone()
    }

    @Test func `an idempotency key that is none starts nothing`() async throws {
        let fixture = Fixture()
        let wrong = ["", "é", "\u{202E}", "\u{FF}", "a\tb", String(repeating: "h", count: 256)]
        try await fixture.test { client in
            for text in wrong {
                var headers = fixture.jsonKey
                headers[.idempotencyKey] = text
                let problem = try await client.post(Surface.execute.path, Surface.execute.body(), headers)
                    .problem(.invalidHeader)
                #expect(problem.faults == ["Idempotency-Key invalid_idempotency_key"], "\(text.prefix(20))")
            }
            var headers = fixture.jsonKey
            headers.append(HTTPField(name: .idempotencyKey, value: "a"))
            headers.append(HTTPField(name: .idempotencyKey, value: "b"))
            let problem = try await client.post(Surface.execute.path, Surface.execute.body(), headers)
                .problem(.invalidHeader)
            #expect(problem.faults == ["Idempotency-Key repeated"])
        }
        fixture.expectNothingDone()
    }

    @Test func `the id of an event that is none is named`() async throws {
        let fixture = Fixture()
        let wrong = Self.texts.filter { $0 != "0" } + ["-0", "+1", "1.0", "9223372036854775808", "1, 2", "１"]
        try await fixture.test { client in
            for text in wrong {
                var headers = fixture.key
                headers[.lastEventID] = text
                let problem = try await client.get(Surface.logs.path + "?stream=true", headers).problem(.invalidHeader)
                #expect(problem.faults == ["Last-Event-ID invalid_last_event_id"], "\(text.prefix(20))")
            }
        }
        fixture.expectNothingDone()
    }

    @Test func `a body for git that is not git's is refused`() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let type = "application/x-git-upload-pack-request"
            for (text, encoding, body, status) in [
                ("application/json", nil, [], 415), ("", nil, [], 415), (type + "; x", nil, [], 415),
                (type, "br", [], 415), (type, "gzip, gzip", GzipTests.fixed, 415), (type, "gzip", GzipTests.bomb, 413),
                (type, "gzip", [], 400), (type, "x-gzip", Array(GzipTests.fixed.dropLast()), 400),
                (type, "GZIP", GzipTests.fixed + [0], 400),
                (type, nil, [UInt8](repeating: 0, count: RepositoryRoutes.bodyLimit + 1), 413),
            ] as [(String, String?, [UInt8], Int)] {
                var headers = fixture.key
                headers[.contentType] = text
                headers[.contentEncoding] = encoding
                let response = try await client.execute(
                    uri: Surface.uploadPack.path, method: .post, headers: headers, body: ByteBuffer(bytes: body))
                #expect(response.status.code == status, "\(text) \(encoding ?? "-")")
                #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
            }
        }
        fixture.expectNothingDone()
    }
}
