import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    private static let jsonFields: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]

    /// A response whose body is JSON text as it stands.
    static func json(_ text: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var fields = jsonFields
        for field in headers { fields.append(field) }
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension HTTPField.Name {
    // Force unwraps: literals that are valid field names.
    static let accelBuffering = Self("X-Accel-Buffering")!
    static let apiKey = Self("X-API-Key")!
    static let gitProtocol = Self("Git-Protocol")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let lastEventID = Self("Last-Event-ID")!
    static let requestID = Self("X-Request-Id")!
}
