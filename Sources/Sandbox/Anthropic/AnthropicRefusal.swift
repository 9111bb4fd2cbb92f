import Domain
import HTTPTypes
import Hummingbird

/// An error as Anthropic sends it: https://docs.anthropic.com/en/api/errors
struct AnthropicRefusal: ProviderRefusal {
    let status: Int
    let type: String
    let message: String
    var headers: HTTPFields = [:]

    init(status: Int, type: String, message: String) {
        self.status = status
        self.type = type
        self.message = message
    }

    init(status: Int) {
        let (type, message) =
            switch status {
            case 401: ("authentication_error", "invalid x-api-key")
            case 402: ("billing_error", "Your credit balance is too low to access the Anthropic API.")
            case 403: ("permission_error", "Your API key does not have permission to use the specified resource.")
            case 404: ("not_found_error", "The requested resource could not be found.")
            case 409: ("conflict_error", "The request conflicts with another one.")
            case 413: ("request_too_large", "Request exceeds the maximum size")
            case 429: ("rate_limit_error", "This request would exceed your organization's rate limit.")
            case 504: ("timeout_error", "Request timed out.")
            case 529: ("overloaded_error", "Overloaded")
            case 500...: ("api_error", "Internal server error")
            default: ("invalid_request_error", "The request is invalid.")
            }
        self.init(status: status, type: type, message: message)
    }

    static func invalid(_ message: String) -> AnthropicRefusal {
        AnthropicRefusal(status: 400, type: "invalid_request_error", message: message)
    }

    static let overloaded = AnthropicRefusal(status: 529)

    static func unreadable(_ error: any Error) -> AnthropicRefusal {
        .invalid("The request body is not valid JSON: \(error)")
    }

    func json(requestID: String) -> JSON {
        [
            "type": "error", "error": ["type": .string(type), "message": .string(message)],
            "request_id": .string(requestID),
        ]
    }

    func response(requestID: String) -> Response {
        .json(HTTPResponse.Status(code: status), json(requestID: requestID), headers: headers)
    }
}
