import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct ExecuteTests {
    private static let path = "/v1/templates/saas-starter-v2/execute"
    private static let good = #"{"configuration":{"app_name":"Shop"}}"#

    @Test func admitsARun() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            var headers = fixture.jsonKey
            headers[.idempotencyKey] = "order-17"
            let body = #"{"configuration":{"app_name":"Shop","cost":1.10},"webhook_url":"https://example.com/hook"}"#
            let response = try await client.post(Self.path, body, headers)
            #expect(response.status == .accepted)
            let id = FakeAdmission.executionID.description
            #expect(try response.keys == ["execution_id", "estimated_completion", "progress_url"])
            let answer = try response.json
            #expect(answer["execution_id"] == .string(id))
            #expect(answer["estimated_completion"] == .string(FakeAdmission.estimatedCompletion.description))
            #expect(answer["progress_url"] == .string("/v1/executions/\(id)"))
            #expect(response.headers[.location] == "/v1/executions/\(id)")
        }
        let (request, principal) = try #require(fixture.admission.state.withLock { $0.requests.first })
        #expect(request.template == "saas-starter-v2")
        #expect(request.configuration == ["app_name": "Shop", "cost": .decimal("1.10")])
        #expect(request.webhookURL == "https://example.com/hook")
        #expect(request.idempotencyKey == "order-17")
        #expect(principal == fixture.caller)
    }

    @Test(arguments: ["https://api.example.com", "https://api.example.com/"])
    func linksBeginAtThePublicURL(publicURL: String) async throws {
        var fixture = Fixture()
        fixture.publicURL = publicURL
        try await fixture.test { [fixture] client in
            let response = try await client.post(Self.path, Self.good, fixture.jsonKey)
            let url = "https://api.example.com/v1/executions/\(FakeAdmission.executionID)"
            #expect(try response.json["progress_url"] == .string(url))
            #expect(response.headers[.location] == url)
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/configuration required"]),
        (#"{"configuration":null}"#, ["/configuration required"]),
        (#"{"configuration":[]}"#, ["/configuration wrong_type"]),
        (#"{"configuration":{},"webhook_url":"ftp://example.com"}"#, ["/webhook_url invalid_url"]),
        (#"{"configuration":{},"webhook_url":"https://"}"#, ["/webhook_url invalid_url"]),
        (#"{"configuration":{},"webhook_url":{"url":"https://example.com"}}"#, ["/webhook_url wrong_type"]),
        (#"{"configuraton":{}}"#, ["/configuration required", "/configuraton unknown_field"]),
    ])
    func namesEverythingThatIsWrong(body: String, faults: [String]) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let problem = try await client.post(Self.path, body, fixture.jsonKey).problem(.invalidRequest)
            #expect(problem.faults == faults)
        }
        #expect(fixture.admission.state.withLock { $0.requests.isEmpty })
    }

    @Test(arguments: [
        ("{\n  \"configuration\": }", "Line 2, column 20: expected a value."),
        ("{\"configuration\":{\"a\":1,\"a\":2}}", "Line 1, column 25: the member \"a\" is given twice."),
        ("{\"configuration\":{}} trailing", "Line 1, column 22: unexpected text after the value."),
        ("", "The body is empty; a JSON object is expected."),
    ])
    func saysWhereJSONEnds(body: String, detail: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let problem = try await client.post(Self.path, body, fixture.jsonKey).problem(.invalidJSON)
            #expect(problem["detail"] == .string(detail))
        }
    }

    @Test func refusesInvalidUTF8() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let bytes = Array(#"{"configuration":{"a":""#.utf8) + [0xFF, 0xFE] + Array(#""}}"#.utf8)
            let response = try await client.execute(
                uri: Self.path, method: .post, headers: fixture.jsonKey, body: ByteBuffer(bytes: bytes))
            let problem = try response.problem(.invalidJSON)
            #expect(problem["detail"]?.stringValue?.contains("UTF-8") == true)
        }
    }

    @Test(arguments: [nil, "text/plain", "application/jsonp", "application/problem+json", "multipart/form-data"])
    func refusesOtherMediaTypes(type: String?) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            var headers = fixture.key
            headers[.contentType] = type
            _ = try await client.post(Self.path, Self.good, headers).problem(.unsupportedMediaType)
        }
    }

    @Test func refusesEncodedBodiesAndTakesCharsets() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            var headers = fixture.jsonKey
            headers[.contentEncoding] = "gzip"
            _ = try await client.post(Self.path, Self.good, headers).problem(.unsupportedMediaType)
            headers = fixture.key
            headers[.contentType] = "Application/JSON; charset=utf-8"
            #expect(try await client.post(Self.path, Self.good, headers).status == .accepted)
        }
    }

    @Test(arguments: [
        (#"{"a":"<script>x"}"#, "/configuration/a"), (#"{"a":"JavaScript:x"}"#, "/configuration/a"),
        (#"{"a":{"b/c":["ok","EVAL(1)"]}}"#, "/configuration/a/b~1c/1"), (#"{"a":"exec("}"#, "/configuration/a"),
    ])
    func refusesScriptInConfiguration(configuration: String, pointer: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let body = "{\"configuration\":\(configuration)}"
            let problem = try await client.post(Self.path, body, fixture.jsonKey).problem(.dangerousContent)
            #expect(problem.faults == ["\(pointer) dangerous_content"])
        }
        #expect(fixture.admission.state.withLock { $0.requests.isEmpty })
    }

    @Test(arguments: ["evaluate (this)", "script", "java script:", "executive"])
    func acceptsHarmlessWords(word: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let body = "{\"configuration\":{\"a\":\"\(word)\"}}"
            let response = try await client.post(Self.path, body, fixture.jsonKey)
            #expect(response.status == .accepted)
        }
    }

    @Test(arguments: ["a.b", "a%20b", "%3Cscript%3E", String(repeating: "a", count: 201)])
    func refusesWhatCannotBeATemplateID(id: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let response = try await client.post("/v1/templates/\(id)/execute", Self.good, fixture.jsonKey)
            #expect(try response.problem(.invalidParameter).faults == ["template_id invalid_template_id"])
        }
    }

    @Test(arguments: ["", String(repeating: "k", count: 256), "ключ"])
    func refusesBadIdempotencyKeys(key: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            var headers = fixture.jsonKey
            headers[.idempotencyKey] = key
            let problem = try await client.post(Self.path, Self.good, headers).problem(.invalidHeader)
            #expect(problem.faults == ["Idempotency-Key invalid_idempotency_key"])
        }
    }

    @Test func answersRefusalsOfTheEngine() async throws {
        let fixture = Fixture()
        let diagnostics = Diagnostics([
            Diagnostic(code: "pattern", message: "Too short.", suggestion: "Shop", pointer: "/configuration/app_name")
        ])
        let refusals: [(AdmissionRefusal, ProblemCode, [String])] = [
            (.templateNotFound, .templateNotFound, []),
            (.invalidConfiguration(diagnostics), .invalidConfiguration, ["/configuration/app_name pattern"]),
            (.cannotRun(diagnostics), .templateCannotRun, ["/configuration/app_name pattern"]),
            (.ledger(LedgerError(.unavailable, "")), .unavailable, []),
            (.ledger(LedgerError(.overloaded, "")), .overloaded, []),
            (.ledger(LedgerError(.rejected, "")), .internalError, []),
        ]
        try await fixture.test { client in
            for (refusal, code, faults) in refusals {
                fixture.admission.state.withLock { $0.refusal = refusal }
                let response = try await client.post(Self.path, Self.good, fixture.jsonKey)
                #expect(try response.problem(code).faults == faults)
                #expect((response.headers[.retryAfter] != nil) == (code.status == .serviceUnavailable))
            }
        }
    }
}
