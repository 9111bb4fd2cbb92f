import Domain
import HTTPTypes
import Hummingbird

// What a request must bring before its content is looked at.
extension AnthropicRoutes {
    private static let versions: Set<String> = ["2023-01-01", "2023-06-01", "2026-10-21"]

    /// The key, from `x-api-key` or as a bearer token. It goes no further than this file and the cache's hash.
    func checkedKey(_ headers: HTTPFields) throws(AnthropicRefusal) -> String {
        guard let key = headers[.apiKey] ?? headers.bearerKey else {
            throw AnthropicRefusal(
                status: 401, type: "authentication_error", message: "x-api-key header is required")
        }
        guard keys.contains(key) else { throw AnthropicRefusal(status: 401) }
        return key
    }

    func checkHeaders(_ headers: HTTPFields) throws(AnthropicRefusal) {
        guard let version = headers[.anthropicVersion] else { throw .invalid("anthropic-version: header is required") }
        guard Self.versions.contains(version) else {
            throw .invalid("anthropic-version: \"\(version.prefix(40))\" is not a valid version")
        }
        guard headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            throw .invalid("content-type: must be application/json")
        }
    }
}

extension RateWindow.Standing {
    func writeAnthropic(to headers: inout HTTPFields) {
        headers[.requestsLimit] = String(limits.requestsPerMinute)
        headers[.requestsRemaining] = String(requestsLeft)
        headers[.requestsReset] = resetsAt.description
        headers[.tokensLimit] = String(limits.tokensPerMinute)
        headers[.tokensRemaining] = String(tokensLeft)
        headers[.tokensReset] = resetsAt.description
    }
}

// Every name below is a valid token, so none of these is nil.
extension HTTPField.Name {
    static let apiKey = Self("x-api-key")!
    static let anthropicVersion = Self("anthropic-version")!
    /// The host's own id of a call, by which its books are compared with the ledger.
    static let callID = Self("x-aibackend-call-id")!
    static let requestID = Self("request-id")!
    static let requestsLimit = Self("anthropic-ratelimit-requests-limit")!
    static let requestsRemaining = Self("anthropic-ratelimit-requests-remaining")!
    static let requestsReset = Self("anthropic-ratelimit-requests-reset")!
    static let tokensLimit = Self("anthropic-ratelimit-tokens-limit")!
    static let tokensRemaining = Self("anthropic-ratelimit-tokens-remaining")!
    static let tokensReset = Self("anthropic-ratelimit-tokens-reset")!
}
