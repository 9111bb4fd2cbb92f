import PluginKit

/// The `errors` of an answer. Railway gives them no codes, so its words have to do.
struct GraphQLRefusal: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// The token is not accepted, or may not do this.
        case denied
        /// What was asked for is not there.
        case missing
        case limited
        /// Railway's own trouble, which may pass.
        case transient
        case other
    }

    let kind: Kind
    /// Of the first error, bounded. It may quote the variables of the operation.
    let message: String

    /// nil where the list is empty.
    init?(_ errors: [JSON]) {
        guard let first = errors.first else { return nil }
        message = String(
            (first["message"]?.stringValue ?? "").prefix(ProviderFailure.detailLimit).prefix { !$0.isNewline })
        kind = Self.kind(of: message.lowercased())
    }

    private static func kind(of message: String) -> Kind {
        func has(_ phrases: String...) -> Bool { phrases.contains { message.contains($0) } }
        // A token that is not found is a denial, so these come before what is missing.
        if has("not authorized", "unauthorized", "project token not found", "not authenticated") { return .denied }
        if has("rate limit", "ratelimit", "too many requests") { return .limited }
        if has("not found") { return .missing }
        if has("internal server error", "problem processing request", "timed out") { return .transient }
        return .other
    }

    /// - Parameter header: of the answer that held it.
    func error(_ document: Document, header: (String) -> String?) -> PluginError {
        let lead: (code: PluginError.Code, text: String, isRetryable: Bool) =
            switch kind {
            case .denied: (.denied, ProviderFailure.tokenRefused(document.name), false)
            case .limited: (.limit, "Railway's rate limit is reached", true)
            case .transient: (.upstream, "Railway failed at \(document.name)", true)
            case .missing, .other: (.upstream, "Railway refused \(document.name)", false)
            }
        let detail = document.isConfidential || message.isEmpty ? "" : ": \(message)"
        return PluginError(
            lead.code, lead.text + detail, isRetryable: lead.isRetryable,
            retryAfterMilliseconds: kind == .limited ? ProviderFailure.retryAfter(header) : nil,
            providerRequestID: header(ProviderFailure.requestIDHeader))
    }
}
