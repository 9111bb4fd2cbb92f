import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer that says what is wrong: an RFC 9457 problem document. Thrown by handlers, written by
/// `RequestBoundary`.
struct Problem: Error {
    let code: ProblemCode
    /// For this occurrence, in words made for the client; never an internal.
    let detail: String
    var errors: [InputError] = []
    var headers: HTTPFields = [:]

    /// More are cut off, so that an answer stays small whatever was sent.
    static let maximumErrors = 20

    init(_ code: ProblemCode, _ detail: String, errors: [InputError] = [], headers: HTTPFields = [:]) {
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    func response(instance: String, requestID: String) -> Response {
        let (document, fields) = content(instance: instance, requestID: requestID)
        return Response(
            status: code.status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: document)))
    }

    /// The document and its header fields.
    func content(instance: String, requestID: String) -> (document: [UInt8], fields: HTTPFields) {
        var document: JSON = [
            "type": .string("urn:aibackend:problem:\(code.rawValue)"), "title": .string(code.title),
            "status": .integer(Int64(code.status.code)), "detail": .string(detail), "code": .string(code.rawValue),
            "instance": .string(instance), "request_id": .string(requestID),
        ]
        if !errors.isEmpty { document.set("errors", .array(errors.prefix(Self.maximumErrors).map(\.json))) }
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        return (document.bytes, fields)
    }

    /// The same for git, which shows its user nothing but plain text: what is wrong, a line each.
    func plainResponse() -> Response {
        let text = errors.isEmpty ? detail : errors.prefix(Self.maximumErrors).map(\.detail).joined(separator: "\n")
        var fields = headers
        fields[.contentType] = "text/plain; charset=utf-8"
        fields[.cacheControl] = "no-store"
        return Response(
            status: code.status, headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(string: "\(text) (\(code.rawValue))\n")))
    }
}

/// One thing that is wrong with a request: where, what, and the way out.
struct InputError: Sendable {
    enum Place: Sendable {
        /// RFC 6901 pointer into the body.
        case pointer(String)
        /// Name of a query or path parameter.
        case parameter(String)
        /// Name of a header field.
        case header(String)
    }

    let place: Place
    let code: String
    let detail: String
    var suggestion: String?

    var json: JSON {
        var object: JSON = [:]
        switch place {
        case .pointer(let pointer): object.set("pointer", .string(pointer))
        case .parameter(let name): object.set("parameter", .string(name))
        case .header(let name): object.set("header", .string(name))
        }
        object.set("code", .string(code))
        object.set("detail", .string(detail))
        if let suggestion { object.set("suggestion", .string(suggestion)) }
        return object
    }
}

extension InputError {
    init(_ diagnostic: Diagnostic) {
        self.init(
            place: .pointer(diagnostic.pointer), code: diagnostic.code, detail: diagnostic.message,
            suggestion: diagnostic.suggestion)
    }
}
