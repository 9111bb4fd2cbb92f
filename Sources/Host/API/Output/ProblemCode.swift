import HTTPTypes

/// The stable codes of problem documents. Clients branch on them: a code never changes its meaning.
enum ProblemCode: String, Sendable, CaseIterable {
    case invalidJSON = "invalid_json"
    case unreadableBody = "unreadable_body"
    case invalidRequest = "invalid_request"
    case invalidParameter = "invalid_parameter"
    case unsupportedParameter = "unsupported_parameter"
    case invalidHeader = "invalid_header"
    case dangerousContent = "dangerous_content"
    case invalidConfiguration = "invalid_configuration"
    case missingAPIKey = "missing_api_key"
    case invalidAPIKey = "invalid_api_key"
    case registrationClosed = "registration_closed"
    case readOnly = "read_only"
    case notFound = "not_found"
    case templateNotFound = "template_not_found"
    case executionNotFound = "execution_not_found"
    case methodNotAllowed = "method_not_allowed"
    case emailTaken = "email_taken"
    case templateCannotRun = "template_cannot_run"
    case sourceConflict = "source_conflict"
    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case requestTimeout = "request_timeout"
    case tooManyExecutions = "too_many_executions"
    case tooManyRequests = "too_many_requests"
    case tooManyStreams = "too_many_streams"
    case internalError = "internal_error"
    case unavailable
    case overloaded

    var status: HTTPResponse.Status {
        switch self {
        case .invalidJSON, .unreadableBody, .invalidRequest, .invalidParameter, .unsupportedParameter, .invalidHeader,
            .dangerousContent, .invalidConfiguration:
            .badRequest
        case .missingAPIKey, .invalidAPIKey: .unauthorized
        case .registrationClosed, .readOnly: .forbidden
        case .notFound, .templateNotFound, .executionNotFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .emailTaken, .templateCannotRun, .sourceConflict: .conflict
        case .bodyTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .requestTimeout: .requestTimeout
        case .tooManyExecutions, .tooManyRequests, .tooManyStreams: .tooManyRequests
        case .internalError: .internalServerError
        case .unavailable, .overloaded: .serviceUnavailable
        }
    }

    /// The same for every occurrence (RFC 9457, section 3.1.3).
    var title: String {
        switch self {
        case .invalidJSON: "The body is not valid JSON"
        case .unreadableBody: "The body could not be read"
        case .invalidRequest: "The body is not what this endpoint accepts"
        case .invalidParameter: "A parameter is not what this endpoint accepts"
        case .unsupportedParameter: "A parameter is not supported"
        case .invalidHeader: "A header is not what this endpoint accepts"
        case .dangerousContent: "The configuration contains refused content"
        case .invalidConfiguration: "The configuration does not fit the template"
        case .missingAPIKey: "An API key is required"
        case .invalidAPIKey: "The API key is not valid"
        case .registrationClosed: "Registration is closed"
        case .readOnly: "The repository is read-only"
        case .notFound: "Nothing is here"
        case .templateNotFound: "There is no such template"
        case .executionNotFound: "There is no such execution"
        case .methodNotAllowed: "The method is not allowed here"
        case .emailTaken: "The email address is taken"
        case .templateCannotRun: "The template cannot run here now"
        case .sourceConflict: "The steps' files do not fit together"
        case .bodyTooLarge: "The body is too large"
        case .unsupportedMediaType: "The body's media type is not supported"
        case .requestTimeout: "The request did not arrive in time"
        case .tooManyExecutions: "Too many executions are unfinished"
        case .tooManyRequests: "Too many requests are under way"
        case .tooManyStreams: "Too many streams are under way"
        case .internalError: "The server made an error"
        case .unavailable: "The service is not available now"
        case .overloaded: "The service is overloaded"
        }
    }
}
