import Domain
import HTTPTypes
import Hummingbird

/// An error as OpenAI sends it: https://platform.openai.com/docs/guides/error-codes
struct OpenAIRefusal: ProviderRefusal {
    let status: Int
    let type: String
    let message: String
    /// The member of the request that is wrong.
    let param: String?
    let code: String?
    var headers: HTTPFields = [:]

    init(status: Int, type: String, message: String, param: String? = nil, code: String? = nil) {
        self.status = status
        self.type = type
        self.message = message
        self.param = param
        self.code = code
    }

    init(status: Int) {
        let (type, message, code): (String, String, String?) =
            switch status {
            case 401:
                (
                    "invalid_request_error",
                    "Incorrect API key provided. You can find your API key at "
                        + "https://platform.openai.com/account/api-keys.", "invalid_api_key"
                )
            case 402:
                (
                    "insufficient_quota", "You have no credits left. Add credits to continue.",
                    "credit_balance_exhausted"
                )
            case 403: ("invalid_request_error", "You are not allowed to use this resource.", "permission_denied")
            case 404: ("invalid_request_error", "The requested resource could not be found.", nil)
            case 413: ("invalid_request_error", "The request is too large.", "request_too_large")
            case 429: ("requests", "Rate limit reached. Please try again later.", "rate_limit_exceeded")
            case 503: ("server_error", "The server is overloaded. Please try again later.", "server_overloaded")
            case 500...:
                ("server_error", "The server had an error while processing your request. Sorry about that!", nil)
            default: ("invalid_request_error", "The request is invalid.", nil)
            }
        self.init(status: status, type: type, message: message, code: code)
    }

    static let overloaded = OpenAIRefusal(status: 503)

    static func unreadable(_ error: any Error) -> OpenAIRefusal {
        .invalid("We could not parse the JSON body of your request: \(error).")
    }

    static func invalid(_ message: String, _ param: String? = nil, code: String? = nil) -> OpenAIRefusal {
        OpenAIRefusal(status: 400, type: "invalid_request_error", message: message, param: param, code: code)
    }

    static func missing(_ param: String) -> OpenAIRefusal {
        .invalid("Missing required parameter: '\(param)'.", param, code: "missing_required_parameter")
    }

    static func unknown(_ param: String) -> OpenAIRefusal {
        .invalid("Unknown parameter: '\(param)'.", param, code: "unknown_parameter")
    }

    /// - Parameter expected: with its article, such as `a boolean`.
    static func wrongType(_ param: String, expected: String, got value: JSON) -> OpenAIRefusal {
        let article = "aeio".contains(value.typeName.prefix(1)) ? "an" : "a"
        let got = value.isNull ? "null" : "\(article) \(value.typeName)"
        return .invalid(
            "Invalid type for '\(param)': expected \(expected), but got \(got) instead.", param, code: "invalid_type")
    }

    static func wrongValue(_ param: String, _ value: String, allowed: [String]) -> OpenAIRefusal {
        let list = allowed.map { "'\($0)'" }.joined(separator: ", ")
        return .invalid(
            "Invalid value: '\(value.prefix(60))'. Supported values are: \(list).", param, code: "invalid_value")
    }

    var json: JSON {
        [
            "error": [
                "message": .string(message), "type": .string(type), "param": param.map(JSON.string) ?? .null,
                "code": code.map(JSON.string) ?? .null,
            ]
        ]
    }

    func response(requestID: String) -> Response {
        .json(HTTPResponse.Status(code: status), json, headers: headers)
    }
}
