import PluginKit

/// The provider's refusals, brought to the host's classes: https://platform.openai.com/docs/guides/error-codes
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
        // An empty account answers 429 like a rate limit, but waiting does not fill it.
        let status = isOutOfCredit(detail) ? 402 : status
        let (code, isRetryable) = classify(status: status)
        let told =
            switch header("x-should-retry")?.lowercased() {
            case "true" where status != 402: true
            case "false": false
            default: isRetryable
            }
        return PluginError(
            code, message(status: status, detail: detail), isRetryable: told,
            retryAfterMilliseconds: told ? RetryDelay.milliseconds(now: now, header: header) : nil, status: status,
            providerRequestID: header("x-request-id"))
    }

    /// The error for an `error` event inside a stream that began with status 200. It has no status: what the answer
    /// cost until then is not known.
    static func error(event: JSON) -> PluginError {
        // The documented event has its members at the top; some are sent with the object of an error's body.
        failure(event["error"]?.objectValue == nil ? Detail(event) : Detail(event["error"] ?? .null), during: true)
    }

    /// The error for a response that ended as failed.
    static func error(failed response: JSON) -> PluginError {
        failure(Detail(response["error"] ?? .null), during: false)
    }

    private static func failure(_ detail: Detail, during isUnderWay: Bool) -> PluginError {
        let status = isOutOfCredit(detail) ? 402 : status(of: detail)
        let (code, isRetryable) = classify(status: status)
        return PluginError(
            code, message(status: status, detail: detail) + (isUnderWay ? " (in the middle of the answer)" : ""),
            isRetryable: isRetryable)
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

    private static func isOutOfCredit(_ detail: Detail) -> Bool {
        let words: Set<String> = ["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"]
        return [detail.code, detail.type].contains { $0.map(words.contains) ?? false }
    }

    /// The status that goes with an error's code where none was sent; one that is not known is taken for the
    /// provider's own fault.
    private static func status(of detail: Detail) -> Int {
        switch detail.code ?? detail.type {
        case "rate_limit_exceeded", "rate_limit_error": 429
        case "invalid_api_key", "authentication_error": 401
        case "data_residency_mismatch", "permission_error": 403
        case "model_not_found": 404
        case "invalid_prompt", "invalid_request_error", "context_length_exceeded", "bio_policy": 400
        // invalid_image, image_too_large, …
        case let code? where code.contains("image"): 400
        default: 500
        }
    }

    private static func message(status: Int, detail: Detail) -> String {
        let key = "the setting \(GenerateRequest.keyName)"
        let lead =
            switch status {
            case 401: "OpenAI does not accept the API key; check \(key)"
            case 402: "OpenAI refused for billing; check the credit of the account behind \(key)"
            case 403: "OpenAI does not permit this to the API key; check the rights of the key in \(key)"
            case 404: "OpenAI does not know the model or the path; check model and base_url"
            case 413: "the request is longer than OpenAI takes; send less context"
            case 429: "OpenAI's rate limit is reached"
            case 300..<400: "OpenAI answered with a redirect; check base_url"
            case 500...: "OpenAI failed"
            default: "OpenAI refused the request"
            }
        return detail.text.isEmpty ? lead : "\(lead): \(detail.text)"
    }
}

extension ProviderFailure {
    /// What an error object says for itself: `{"message","type","param","code"}`.
    private struct Detail {
        let type: String?
        let code: String?
        let text: String

        init(_ error: JSON) {
            // An `error` event's own type says no more than that it is one.
            type = error["type"]?.stringValue.flatMap { $0 == "error" ? nil : $0 }
            code = error["code"]?.stringValue
            // The API repeats a wrong key in its message, with its middle hidden.
            let message = code == "invalid_api_key" ? nil : error["message"]?.stringValue
            text = [code ?? type, message.map { String($0.prefix(500)) }].compactMap(\.self).joined(separator: ": ")
        }

        init(body: [UInt8]) {
            if let json = try? JSON.parse(body, JSON.Reading(repairsStrings: true)), let error = json["error"] {
                self.init(error)
            } else {
                // A gateway's page: its first line is enough to recognise whose it is.
                let page = String(decoding: body.prefix(200), as: UTF8.self)
                self.init(["message": .string(String(page.prefix { !$0.isNewline }))])
            }
        }
    }
}
