import PluginKit
import Testing

@testable import ClaudePlugin

@Suite struct ProviderFailureTests {
    private func error(_ status: Int, _ headers: [String: String] = [:], body: String = "") -> PluginError {
        ProviderFailure.error(status: status, body: Array(body.utf8), now: 1_000, header: { headers[$0] })
    }

    @Test(arguments: [
        (400, PluginError.Code.invalid, false), (401, .denied, false), (402, .denied, false), (403, .denied, false),
        (404, .invalid, false), (408, .upstream, true), (409, .upstream, true), (413, .invalid, false),
        (418, .invalid, false), (422, .invalid, false), (429, .limit, true), (500, .upstream, true),
        (502, .upstream, true), (503, .upstream, true), (504, .upstream, true), (529, .upstream, true),
        (302, .upstream, false),
    ])
    func classesEveryStatus(status: Int, code: PluginError.Code, isRetryable: Bool) {
        let error = error(status)
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
        #expect(error.status == status)
        #expect(!error.message.isEmpty)
    }

    @Test func carriesTheProvidersWordsAndID() {
        let body =
            #"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too big"},"#
            + #""request_id":"req_b"}"#
        #expect(error(400, body: body).message.contains("invalid_request_error: max_tokens: too big"))
        #expect(error(400, body: body).providerRequestID == "req_b")
        #expect(error(400, ["request-id": "req_h"], body: body).providerRequestID == "req_h")
    }

    @Test func deniedNamesTheSettingThatHoldsTheKey() {
        for status in [401, 402, 403] { #expect(error(status).message.contains("ANTHROPIC_API_KEY")) }
    }

    @Test func readsWhateverAGatewayWrote() {
        #expect(error(502, body: "<html>Bad gateway\nmore").message == "Anthropic failed: <html>Bad gateway")
        #expect(error(502, body: "{\"error\":\"text\"}").message == "Anthropic failed")
        #expect(error(500, body: "\u{FFFD}").isRetryable)
        #expect(error(400, body: "[" + String(repeating: "x", count: 100_000)).message.utf8.count < 400)
    }

    @Test func obeysXShouldRetry() {
        #expect(!error(529, ["x-should-retry": "false", "retry-after": "3"]).isRetryable)
        #expect(error(529, ["x-should-retry": "false", "retry-after": "3"]).retryAfterMilliseconds == nil)
        #expect(error(400, ["x-should-retry": "true"]).isRetryable)
        #expect(error(529, ["x-should-retry": "perhaps"]).isRetryable)
    }

    @Test(
        arguments: [
            (["retry-after-ms": "1500", "retry-after": "9"], 1_500), (["retry-after": "2"], 2_000),
            (["retry-after": "0.25"], 250), (["retry-after": "-4"], 0), (["retry-after": "1e9"], 86_400_000),
            (["retry-after": "soon"], nil), (["retry-after-ms": "soon", "retry-after": "1"], 1_000),
            (["retry-after": "nan"], nil), ([:], nil),
            // 1,000 s after the epoch is 00:16:40.
            (["retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"], 10_000),
            (["retry-after": "Thursday, 01-Jan-70 00:16:50 GMT"], 10_000),
            (["retry-after": "Thu Jan  1 00:16:50 1970"], 10_000),
            (["retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"], 0),
            (
                [
                    "retry-after": "Sun, 06 Nov 1994 08:49:40 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT",
                ], 3_000
            ),
        ] as [([String: String], Int64?)])
    func readsEveryFormOfRetryAfter(headers: [String: String], expected: Int64?) {
        #expect(error(429, headers).retryAfterMilliseconds == expected)
    }

    @Test func readsDatesExactly() {
        #expect(HTTPDate.unixSeconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.unixSeconds("Thu, 29 Feb 2024 23:59:60 GMT") == 1_709_251_200)
        for text in [
            "", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "1 2 3 4 5 6 7 8",
        ] { #expect(HTTPDate.unixSeconds(text) == nil, "\(text)") }
    }
}
