import Domain

/// Why a request is refused or a field has no value, in the shape that GraphQL servers send:
/// https://spec.graphql.org/October2021/#sec-Errors
struct GraphQLError: Error, Sendable, Hashable {
    /// The words that the field's servers put into `extensions.code`.
    enum Code: String, Sendable {
        case parseFailed = "GRAPHQL_PARSE_FAILED"
        case validationFailed = "GRAPHQL_VALIDATION_FAILED"
        case badUserInput = "BAD_USER_INPUT"
        case internalServerError = "INTERNAL_SERVER_ERROR"
    }

    let message: String
    let code: Code
    var locations: [GraphQLLocation] = []
    /// The response keys and list positions that lead to the field; empty where the whole request is refused.
    var path: [JSON] = []

    init(_ message: String, _ code: Code, at location: GraphQLLocation? = nil) {
        self.message = message
        self.code = code
        if let location { locations = [location] }
    }

    var json: JSON {
        var object = JSONObject()
        object["message"] = .string(message)
        if !locations.isEmpty {
            object["locations"] = .array(
                locations.map { ["line": .integer(Int64($0.line)), "column": .integer(Int64($0.column))] })
        }
        if !path.isEmpty { object["path"] = .array(path) }
        object["extensions"] = ["code": .string(code.rawValue)]
        return .object(object)
    }
}

/// A place in a document; both numbers begin at 1, columns count code points.
struct GraphQLLocation: Sendable, Hashable {
    let line: Int
    let column: Int
}
