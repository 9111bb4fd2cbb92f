import Domain
import HTTPTypes
import Hummingbird

/// Reads a request's body as one JSON object, never holding more of it than its limit.
enum JSONBody {
    /// - Parameter limit: In bytes.
    static func read(_ request: Request, limit: Int) async throws(Problem) -> JSONObject {
        try checkMediaType(request.headers)
        let bytes = try await request.bytes(limit: limit)
        let value: JSON
        do {
            value = try JSON.parse(bytes)
        } catch {
            guard !bytes.isEmpty else { throw Problem(.invalidJSON, "The body is empty; a JSON object is expected.") }
            throw Problem(.invalidJSON, "Line \(error.line), column \(error.column): \(error.reason).")
        }
        guard case .object(let object) = value else {
            throw Problem(
                .invalidRequest, "The body must be a JSON object.",
                errors: [.wrongType(at: "", expected: "object", found: value)])
        }
        return object
    }

    private static func checkMediaType(_ headers: HTTPFields) throws(Problem) {
        let type = headers[.contentType] ?? ""
        let essence = type.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        guard essence == "application/json" else {
            let found = type.isEmpty ? "there is no Content-Type" : "the Content-Type is \(type.clipped)"
            throw Problem(.unsupportedMediaType, "The body must be application/json; \(found).")
        }
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "The body must not be encoded; the Content-Encoding is \(encoding.clipped).")
        }
    }
}
