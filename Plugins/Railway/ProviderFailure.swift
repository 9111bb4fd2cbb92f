import Glibc
import PluginKit

/// Railway's refusals, brought to the host's classes.
enum ProviderFailure {
    /// Bytes of an error's body that are read.
    static let bodyLimit = 65_536
    /// Characters of the provider's own words that an error repeats.
    static let detailLimit = 500
    static let requestIDHeader = "x-railway-request-id"

    /// The error for an answer with an error status.
    ///
    /// - Parameters:
    ///   - what: what was asked, for the operator.
    ///   - detail: the provider's own words; empty where it has none, or none that may be repeated.
    static func error(
        status: Int, _ what: String, detail: String, isUpload: Bool = false, header: (String) -> String?
    ) -> PluginError {
        let (code, isRetryable) = classify(status: status, isUpload: isUpload)
        let lead =
            switch status {
            case 401, 403: tokenRefused(what)
            case 404: "Railway has nothing at the address of \(what); check the setting base_url"
            case 413: "the application's source is too large for Railway"
            case 429: "Railway's rate limit is reached"
            case 300..<400: "Railway answered \(what) with a redirect; check the setting base_url"
            case 500...: "Railway failed at \(what)"
            default: "Railway refused \(what)"
            }
        return PluginError(
            code, detail.isEmpty ? lead : "\(lead): \(detail)", isRetryable: isRetryable,
            retryAfterMilliseconds: isRetryable ? retryAfter(header) : nil, status: status,
            providerRequestID: header(requestIDHeader))
    }

    static func tokenRefused(_ what: String) -> String {
        "Railway does not accept the token for \(what); check the setting \(Settings.tokenName) and its rights"
    }

    private static func classify(status: Int, isUpload: Bool) -> (PluginError.Code, isRetryable: Bool) {
        switch status {
        case 401, 403: (.denied, false)
        case 408: (.upstream, true)
        case 413: (.limit, false)
        case 429: (.limit, true)
        case 400 where isUpload: (.invalid, false)
        case 404: (.upstream, false)
        case 400..<500: (.invalid, false)
        case 500...: (.upstream, true)
        default: (.upstream, false)
        }
    }

    /// The pause that the answer asks for, in milliseconds.
    static func retryAfter(_ header: (String) -> String?) -> Int64? {
        RetryDelay.milliseconds(now: Int64(time(nil)), header: header)
    }

    /// What an error's body says for itself: `{"message"}`, `{"errors":[{"message"}]}`, or the first line of a page.
    static func detail(of body: [UInt8]) -> String {
        let text: String
        if let json = try? JSON.parse(body, JSON.Reading(repairsStrings: true)), json.objectValue != nil {
            text = json["message"]?.stringValue ?? json["errors"]?.arrayValue?.first?["message"]?.stringValue ?? ""
        } else {
            text = String(decoding: body.prefix(200), as: UTF8.self)
        }
        return String(text.prefix(detailLimit).prefix { !$0.isNewline })
    }
}
