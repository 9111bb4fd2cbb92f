import HTTPTypes

/// The paths that are served, as the patterns under which they are routed, counted and documented.
enum Endpoint: String, CaseIterable {
    case register = "/v1/auth/register"
    case templates = "/v1/templates"
    case execute = "/v1/templates/{template_id}/execute"
    case execution = "/v1/executions/{execution_id}"
    case logs = "/v1/executions/{execution_id}/logs"
    case resources = "/v1/executions/{execution_id}/resources"
    case references = "/v1/executions/{execution_id}/repository.git/info/refs"
    case uploadPack = "/v1/executions/{execution_id}/repository.git/git-upload-pack"
    case health = "/health"
    case ready = "/ready"
    case metrics = "/metrics"

    /// The value of an `Allow` header.
    var allowedMethods: String {
        switch self {
        case .register, .execute, .uploadPack: "POST"
        case .templates, .execution, .logs, .resources, .references, .health, .ready, .metrics: "GET, HEAD"
        }
    }

    /// The endpoint that a path belongs to, whatever the method.
    init?(matching path: String) {
        let parts = path.split(separator: "/")
        let match = Self.allCases.first { endpoint in
            let pattern = endpoint.rawValue.split(separator: "/")
            return pattern.count == parts.count
                && zip(pattern, parts).allSatisfy { $0.first == "{" || $0 == $1 }
        }
        guard let match else { return nil }
        self = match
    }
}
