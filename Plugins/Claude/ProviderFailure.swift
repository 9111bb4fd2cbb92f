import PluginKit

/// The provider's refusals, brought to the host's classes: https://docs.anthropic.com/en/api/errors
enum ProviderFailure {
    /// Bytes of an error's body that are read.
    static let bodyLimit = 65_536

    /// The error for an answer with an error status.
    ///
    /// - Parameters:
    ///   - body: as received; need not be JSON, a proxy on the way may have written it.
    ///   - now: Unix seconds.
    ///   - header: the answer's headers by lower-case name.
    static func error(status: Int, body: [UInt8], now: Int64, header: (String) -> String?) -> PluginError {
        let detail = Detail(body: body)
        let (code, isRetryable) = classify(status: status)
        let told =
            switch header("x-should-retry")?.lowercased() {
            case "true": true
            case "false": false
            default: isRetryable
            }
        return PluginError(
            code, message(status: status, detail: detail), isRetryable: told,
            retryAfterMilliseconds: told ? RetryDelay.milliseconds(now: now, header: header) : nil, status: status,
            providerRequestID: header("request-id") ?? detail.requestID)
    }

    /// The error for an `error` event inside a stream that began with status 200.
    static func error(event: JSON, usage: JSON?) -> PluginError {
        let detail = Detail(event)
        let status = status(ofType: detail.type)
        let (code, isRetryable) = classify(status: status ?? 500)
        return PluginError(
            code, message(status: status, detail: detail) + " (in the middle of the answer)",
            isRetryable: isRetryable, status: status, providerRequestID: detail.requestID, usage: usage)
    }

    private static func classify(status: Int) -> (PluginError.Code, isRetryable: Bool) {
        switch status {
        case 401, 402, 403: (.denied, false)
        case 408, 409: (.upstream, true)
        case 429: (.limit, true)
        case 400..<500: (.invalid, false)
        case 500...: (.upstream, true)
        default: (.upstream, false)
        }
    }

    private static func status(ofType type: String?) -> Int? {
        switch type {
        case "invalid_request_error": 400
        case "authentication_error": 401
        case "billing_error": 402
        case "permission_error": 403
        case "not_found_error": 404
        case "conflict_error": 409
        case "request_too_large": 413
        case "rate_limit_error": 429
        case "api_error": 500
        case "timeout_error": 504
        case "overloaded_error": 529
        default: nil
        }
    }

    private static func message(status: Int?, detail: Detail) -> String {
        let key = "the setting \(GenerateRequest.keyName)"
        let lead =
            switch status {
            case 401: "Anthropic does not accept the API key; check \(key)"
            case 402: "Anthropic refused for billing; check the credit of the account behind \(key)"
            case 403: "Anthropic does not permit this to the API key; check the rights of the key in \(key)"
            case 404: "Anthropic does not know the model or the path; check model and base_url"
            case 413: "Anthropic takes no request over 32 MB; send less context"
            case 429: "Anthropic's rate limit is reached"
            case 529: "Anthropic is overloaded"
            case let status? where 300..<400 ~= status: "Anthropic answered with a redirect; check base_url"
            case let status? where status >= 500: "Anthropic failed"
            case nil: "Anthropic failed"
            default: "Anthropic refused the request"
            }
        return detail.text.isEmpty ? lead : "\(lead): \(detail.text)"
    }
}

extension ProviderFailure {
    /// What an error object says for itself: `{"type":"error","error":{"type","message"},"request_id"}`.
    private struct Detail {
        let type: String?
        let text: String
        let requestID: String?

        init(_ json: JSON) {
            type = json["error"]?["type"]?.stringValue
            let message = json["error"]?["message"]?.stringValue.map { String($0.prefix(500)) }
            text = [type, message].compactMap(\.self).joined(separator: ": ")
            requestID = json["request_id"]?.stringValue
        }

        init(body: [UInt8]) {
            if let json = try? JSON.parse(body, JSON.Reading(repairsStrings: true)), json["error"] != nil {
                self.init(json)
            } else {
                // A gateway's page: its first line is enough to recognise whose it is.
                let page = String(decoding: body.prefix(200), as: UTF8.self)
                self.init(["error": ["message": .string(String(page.prefix { !$0.isNewline }))]])
            }
        }
    }
}
