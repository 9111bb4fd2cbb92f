import PluginKit
import Testing

@testable import CodexPlugin

@Suite struct ProviderFailureTests {
    private func error(_ status: Int, _ headers: [String: String] = [:], body: String = "") -> PluginError {
        ProviderFailure.error(status: status, body: Array(body.utf8), now: 1_000, header: { headers[$0] })
    }

    private static let classes: [(Int, PluginError.Code, Bool)] = [
        (400, .invalid, false), (401, .denied, false), (402, .denied, false), (403, .denied, false),
        (404, .invalid, false), (408, .upstream, true), (409, .upstream, true), (413, .invalid, false),
        (422, .invalid, false), (429, .limit, true), (500, .upstream, true), (502, .upstream, true),
        (503, .upstream, true), (504, .upstream, true), (302, .upstream, false),
    ]

    @Test(arguments: classes)
    func `every status has its class`(status: Int, code: PluginError.Code, isRetryable: Bool) {
        let error = error(status)
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
        #expect(error.status == status)
        #expect(!error.message.isEmpty)
    }

    @Test(arguments: ["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"])
    func `an empty account is no rate limit: waiting does not fill it`(code: String) {
        let coded = #"{"error":{"message":"No credit","type":"x","param":null,"code":"\#(code)"}}"#
        let typed = #"{"error":{"message":"No credit","type":"\#(code)","param":null,"code":null}}"#
        for body in [coded, typed] {
            for headers in [["retry-after": "3"], ["x-should-retry": "true"]] {
                let error = error(429, headers, body: body)
                #expect(error.code == .denied && error.status == 402)
                #expect(!error.isRetryable && error.retryAfterMilliseconds == nil)
                #expect(error.message.contains("OPENAI_API_KEY"))
            }
        }
    }

    @Test func `the provider's words and its request's id are carried`() {
        let body =
            #"{"error":{"message":"Unknown parameter: 'x'.","type":"invalid_request_error","param":"x","#
            + #""code":"unknown_parameter"}}"#
        let error = error(400, ["x-request-id": "req_h"], body: body)
        #expect(error.message == "OpenAI refused the request: unknown_parameter: Unknown parameter: 'x'.")
        #expect(error.providerRequestID == "req_h")
    }

    @Test func `denied names the setting that holds the key, and never what the provider repeats of it`() {
        for status in [401, 402, 403] { #expect(error(status).message.contains("OPENAI_API_KEY")) }
        let body =
            #"{"error":{"message":"Incorrect API key provided: sk-pr***abcd.","type":"invalid_request_error","#
            + #""param":null,"code":"invalid_api_key"}}"#
        #expect(!error(401, body: body).message.contains("abcd"))
    }

    @Test func `whatever a gateway wrote is read`() {
        #expect(error(502, body: "<html>Bad gateway\nmore").message == "OpenAI failed: <html>Bad gateway")
        #expect(error(502, body: "{\"error\":\"text\"}").message == "OpenAI failed")
        #expect(error(500, body: "\u{FFFD}").isRetryable)
        #expect(error(400, body: "[" + String(repeating: "x", count: 100_000)).message.utf8.count < 400)
    }

    @Test func `x-should-retry and retry-after are obeyed`() {
        #expect(error(429, ["retry-after": "2"]).retryAfterMilliseconds == 2_000)
        #expect(error(429, ["retry-after-ms": "1500", "retry-after": "9"]).retryAfterMilliseconds == 1_500)
        #expect(!error(503, ["x-should-retry": "false", "retry-after": "3"]).isRetryable)
        #expect(error(503, ["x-should-retry": "false", "retry-after": "3"]).retryAfterMilliseconds == nil)
        #expect(error(400, ["x-should-retry": "true"]).isRetryable)
        #expect(error(503, ["x-should-retry": "perhaps"]).isRetryable)
    }
}
