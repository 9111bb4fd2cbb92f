import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

/// Every field of every JSON body, wrong in type, size, encoding and nesting: a 4xx that says what is wrong and where,
/// and nothing done.
@Suite struct BadBodyTests {
    static let surfaces = Surface.all.filter(\.hasJSONBody)

    /// Sends each body and gives what it is answered; nothing may have been done for any of them.
    private func refusals(_ surface: Surface, _ bodies: [[UInt8]], _ code: ProblemCode) async throws -> [JSON] {
        let fixture = Fixture()
        let problems = Mutex<[JSON]>([])
        try await fixture.test { client in
            for body in bodies {
                let response = try await client.execute(
                    uri: surface.path, method: surface.method, headers: fixture.jsonKey, body: ByteBuffer(bytes: body))
                let problem = try Self.complete(response, code)
                problems.withLock { $0.append(problem) }
            }
        }
        fixture.expectNothingDone()
        return problems.withLock { $0 }
    }

    /// A problem document whose errors each say where and what.
    private static func complete(_ response: TestResponse, _ code: ProblemCode) throws -> JSON {
        let problem = try response.problem(code)
        #expect(response.body.readableBytes < 16 * 1_024)
        for error in problem["errors"]?.arrayValue ?? [] {
            #expect(error["pointer"]?.stringValue != nil || error["parameter"]?.stringValue != nil)
            #expect(error["code"]?.stringValue?.isEmpty == false && error["detail"]?.stringValue?.isEmpty == false)
        }
        return problem
    }

    @Test(arguments: surfaces) func `the good body is taken`(surface: Surface) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let response = try await client.post(surface.path, surface.body(), fixture.jsonKey)
            #expect((200..<300).contains(response.status.code))
        }
    }

    @Test(arguments: surfaces) func `a value of another type is named with its pointer`(surface: Surface) async throws {
        for field in surface.fields {
            let wrong = Malformed.typed.filter { $0.type != field.type && $0.type != "null" }
            let bodies = wrong.map { Array(surface.body(replacing: field.name, by: $0.json).utf8) }
            let problems = try await refusals(surface, bodies, .invalidRequest)
            for (problem, value) in zip(problems, wrong) {
                #expect(problem.faults == ["/\(field.name) wrong_type"], "\(value.json)")
                let detail = "Expected \(field.type), found \(value.type)."
                #expect(problem["errors"]?.arrayValue?.first?["detail"] == .string(detail))
            }
        }
    }

    @Test(arguments: surfaces) func `what is required may be neither missing nor null`(surface: Surface) async throws {
        for field in surface.fields where field.isRequired {
            let bodies = [surface.body(replacing: field.name), surface.body(replacing: field.name, by: "null")]
            for problem in try await refusals(surface, bodies.map { Array($0.utf8) }, .invalidRequest) {
                #expect(problem.faults == ["/\(field.name) required"])
            }
        }
    }

    @Test(arguments: surfaces) func `what is optional may be both`(surface: Surface) async throws {
        for field in surface.fields where !field.isRequired {
            for value in [nil, "null"] {
                let fixture = Fixture()
                try await fixture.test { client in
                    let body = surface.body(replacing: field.name, by: value)
                    let status = try await client.post(surface.path, body, fixture.jsonKey).status
                    #expect((200..<300).contains(status.code))
                }
            }
        }
    }

    @Test(arguments: surfaces)
    func `a value of the right type that is not acceptable is named`(surface: Surface) async throws {
        for field in surface.fields {
            let bodies = field.refused.map { Array(surface.body(replacing: field.name, by: $0).utf8) }
            let problems = try await refusals(surface, bodies, .invalidRequest)
            for (problem, value) in zip(problems, field.refused) {
                #expect(problem.faults == ["/\(field.name) \(field.fault)"], "\(value.prefix(80))")
            }
        }
    }

    @Test(arguments: surfaces)
    func `what is no JSON is refused with its line and column, in each field's place`(surface: Surface) async throws {
        for field in surface.fields {
            let mark = "\"@here@\""
            let body = surface.body(replacing: field.name, by: mark)
            let range = try #require(body.firstRange(of: mark))
            let column = body[..<range.lowerBound].utf8.count + 1
            let bodies = Malformed.untyped.map { value in
                Array(body[..<range.lowerBound].utf8) + value.bytes + Array(body[range.upperBound...].utf8)
            }
            let problems = try await refusals(surface, bodies, .invalidJSON)
            for (problem, value) in zip(problems, Malformed.untyped) {
                let detail = try #require(problem["detail"]?.stringValue)
                #expect(
                    detail.hasPrefix("Line ") && detail.contains(value.reason), "\(value.bytes.prefix(20)): \(detail)")
                let found = detail.firstMatch(of: #/^Line [0-9]+, column ([0-9]+):/#).flatMap { Int($0.output.1) }
                #expect(try #require(found) >= (detail.hasPrefix("Line 1,") ? column : 1))
            }
        }
    }

    @Test(arguments: surfaces) func `a body that ends anywhere before its end is refused`(surface: Surface) async throws
    {
        let body = Array(surface.body().utf8)
        _ = try await refusals(surface, (0..<body.count).map { Array(body[..<$0]) }, .invalidJSON)
    }

    @Test(arguments: surfaces) func `what stands around the body is refused`(surface: Surface) async throws {
        let body = surface.body()
        let wrong = [
            "\u{FEFF}\(body)", "\(body) x", "\(body)\(body)", "\(body)\u{0}", "\(body),", "[\(body)", "x=\(body)",
            ")]}',\n\(body)", "\(body)\u{1A}", "--boundary\r\n\(body)", "<x/>", "email=ada%40example.com",
            "\u{0}\u{0}\u{0}",
        ]
        _ = try await refusals(surface, wrong.map { Array($0.utf8) }, .invalidJSON)
        // UTF-16 and UTF-32, with and without a mark.
        let sixteen = Array(body.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let thirtyTwo = body.unicodeScalars.flatMap { [UInt8($0.value & 0xFF), 0, 0, 0] }
        _ = try await refusals(surface, [sixteen, [0xFF, 0xFE] + sixteen, thirtyTwo], .invalidJSON)
    }

    @Test(arguments: surfaces) func `a body that is no object is refused`(surface: Surface) async throws {
        let values = Malformed.typed.filter { $0.type != "object" }
        let problems = try await refusals(surface, values.map { Array($0.json.utf8) }, .invalidRequest)
        for (problem, value) in zip(problems, values) {
            #expect(problem.faults == [" wrong_type"], "\(value.json)")
        }
    }

    @Test(arguments: surfaces) func `unknown and repeated members are refused`(surface: Surface) async throws {
        let names = [
            "", " ", "constructor", "__proto__", "{{x}}", "a~b/c", "/\u{301}", "e\u{301}", "\u{202E}x", "\u{1}",
            String(repeating: "n", count: 4_000), "e" + String(repeating: "\u{301}", count: 2_000),
        ]
        let bodies = names.map { "{\(JSON.string($0).text):1,\(surface.body().dropFirst())" }
        let problems = try await refusals(surface, bodies.map { Array($0.utf8) }, .invalidRequest)
        for problem in problems { #expect(problem.faults.map { $0.hasSuffix(" unknown_field") } == [true]) }
        #expect(problems[5].faults == ["/a~0b~1c unknown_field"])
        #expect(problems[6].faults == ["/~1\u{301} unknown_field"])
        let twice = surface.fields.map { "{\"\($0.name)\":\($0.good),\(surface.body().dropFirst())" }
        _ = try await refusals(surface, twice.map { Array($0.utf8) }, .invalidJSON)
    }

    @Test(arguments: surfaces) func `another media type or encoding is refused`(surface: Surface) async throws {
        let fixture = Fixture()
        let types = [
            nil, "", ";", "text/plain", "application/json2", "application/x-json", "text/json", "application/xml",
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json, text/plain",
            "application/octet-stream", "application/\u{FF}json", "*/*", String(repeating: "a", count: 8_000),
        ]
        let encodings = ["gzip", "br", "deflate", "zstd", "gzip, gzip", "x", "", "identity, gzip"]
        try await fixture.test { client in
            for type in types {
                var headers = fixture.key
                headers[.contentType] = type
                let response = try await client.post(surface.path, surface.body(), headers)
                _ = try Self.complete(response, .unsupportedMediaType)
            }
            for encoding in encodings {
                var headers = fixture.jsonKey
                headers[.contentEncoding] = encoding
                let response = try await client.execute(
                    uri: surface.path, method: .post, headers: headers, body: ByteBuffer(bytes: GzipTests.bomb))
                _ = try Self.complete(response, .unsupportedMediaType)
            }
        }
        fixture.expectNothingDone()
    }
}

/// What is in a configuration belongs to the template; what is dangerous in it is refused for any.
@Suite struct DangerousConfigurationTests {
    @Test(arguments: DangerousContent.words)
    func `a refused word is found wherever it stands`(word: String) async throws {
        let mixed = word.enumerated().map { $0.offset % 2 == 0 ? $0.element.uppercased() : String($0.element) }.joined()
        let deep = (0..<40).reduce("\"\(word)\"") { inner, _ in "[\(inner)]" }
        let cases = [
            ("\"a\":\"\(word)\"", "/configuration/a"), ("\"a\":\"x\(mixed)x\"", "/configuration/a"),
            ("\"a\":[1,null,\"\(word)\"]", "/configuration/a/2"),
            ("\"a\":{\"b\":{\"c~/\":\"\(word)\"}}", "/configuration/a/b/c~0~1"),
            ("\"a\":\(deep)", "/configuration/a" + String(repeating: "/0", count: 40)),
            // As the name of a member, which ends up in what is generated as its value does.
            ("\"\(word)\":1", "/configuration/\(word)"), ("\"a\":{\"x\(mixed)\":1}", "/configuration/a/x\(mixed)"),
            // Escaped, as JSON allows for any character.
            (
                "\"a\":\"\(word.unicodeScalars.map { "\\u00" + String($0.value, radix: 16) }.joined())\"",
                "/configuration/a"
            ),
        ]
        let fixture = Fixture()
        try await fixture.test { client in
            for (members, pointer) in cases {
                let body = "{\"configuration\":{\(members)}}"
                let problem = try await client.post(Surface.execute.path, body, fixture.jsonKey).problem(
                    .dangerousContent)
                #expect(problem.faults == ["\(pointer) dangerous_content"])
                #expect(problem["detail"]?.stringValue?.contains(word) == true)
            }
        }
        fixture.expectNothingDone()
    }
}

extension Fixture {
    /// That no port was asked to do anything, and that nothing failed on the server's side.
    func expectNothingDone(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(accounts.state.withLock { $0.registrations.isEmpty }, sourceLocation: sourceLocation)
        #expect(admission.state.withLock { $0.requests.isEmpty }, sourceLocation: sourceLocation)
        #expect(catalog.state.withLock { $0.filters.isEmpty }, sourceLocation: sourceLocation)
        #expect(sources.state.withLock { $0.requests.isEmpty }, sourceLocation: sourceLocation)
        #expect(reader.state.withLock { $0.logRequests.isEmpty }, sourceLocation: sourceLocation)
        #expect(!logs.all.contains { $0.contains("request failed") }, sourceLocation: sourceLocation)
    }
}
