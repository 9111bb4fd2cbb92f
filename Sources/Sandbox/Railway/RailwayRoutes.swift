import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Railway's public API under `/railway`, and what steers the simulated platform.
struct RailwayRoutes: Sendable {
    static let prefix = "/railway"
    /// Bytes of a GraphQL request.
    static let bodyLimit = 1 << 20

    let keys: AcceptedKeys
    let platform: RailwayPlatform
    let limits: RailwayLimits
    let rates: RailwayRateWindow
    let control: ControlState
    let logger: Logger

    func add(to router: Router<SandboxContext>) {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
            router.on("railway/**", method: method) { request, context in
                await respond(to: request, on: context.channel)
            }
        }
    }

    private func respond(to request: Request, on channel: any Channel) async -> Response {
        let path = String(request.uri.path.dropFirst(Self.prefix.count))
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch (request.method, parts.first, parts.count) {
        case (.get, "state", 1): return .json(.ok, platform.stateJSON)
        case (.post, "domains", 3) where parts[2] == "verify": return verify(parts[1])
        default: return await call(request, path: path, parts, on: channel)
        }
    }

    private func verify(_ domain: String) -> Response {
        do {
            try platform.verify(domain)
            return Response(status: .noContent)
        } catch {
            return .json(.notFound, ["error": .string(error.message)])
        }
    }

    /// One request of a client, from its entry in the ledger to its answer or refusal.
    private func call(_ request: Request, path: String, _ parts: [String], on channel: any Channel) async -> Response {
        let sequence = control.ledger.open(.railway, path: path, callID: request.headers[.callID])
        let standing = rates.take()
        var response: Response
        do {
            if standing.isExceeded {
                throw RailwayRefusal(429, "You are being rate limited. Please try again later.")
            }
            switch (request.method, parts.first, parts.count) {
            case (.post, "graphql", 2) where parts[1] == "v2":
                response = try await operation(request, sequence: sequence, on: channel)
            case (.post, "project", 5) where parts[2] == "environment" && parts[4] == "up":
                response = try await upload(
                    request, projectID: parts[1], environmentID: parts[3], sequence: sequence, on: channel)
            case (_, "graphql", 2) where parts[1] == "v2": throw RailwayRefusal(405, "Method Not Allowed")
            default: throw RailwayRefusal(404, "Not Found")
            }
        } catch let refusal as RailwayRefusal {
            control.ledger.close(sequence, .finished, status: refusal.status)
            response = refusal.response
        } catch is DeliberateCut {
            control.ledger.close(sequence, .cutBySandbox, status: nil)
            try? await channel.close()
            response = Response(status: .internalServerError)
        } catch {
            // The client has gone while its call was held or its body read: nobody reads this answer.
            control.ledger.close(sequence, .cutByClient, status: nil)
            response = Response(status: .badRequest)
        }
        standing.write(to: &response.headers)
        logger.info(
            "provider call",
            metadata: [
                "provider": "railway", "path": "\(path)", "sequence": "\(sequence)",
                "status": "\(response.status.code)",
            ])
        return response
    }

    /// Meets what was planned for a call, has it carried out, and delivers the answer as the plan says.
    ///
    /// - Parameter prompt: what faults and gates are matched with.
    func deliver(
        prompt: String, sequence: Int, on channel: any Channel, answer: () async throws -> JSON
    ) async throws -> Response {
        let plan = CallPlan(
            fault: control.faults.take(.railway, prompt: prompt),
            gate: control.gates.gate(for: .railway, prompt: prompt))
        for hold in plan.holds(after: 0, isStreamed: false) { try await hold.wait(as: sequence, on: channel) }
        try await platform.pace.beforeAnswer()
        if case .status(let status, let retryAfter, _, let body)? = plan.fault?.kind {
            throw RailwayRefusal(status, nil, retryAfter: retryAfter, body: body)
        }
        var bytes = try await answer().bytes
        try await plan.holdWhenDone?.wait(as: sequence, on: channel)
        switch plan.fault?.kind {
        case .lostResponse: throw DeliberateCut()
        case .cut:
            control.ledger.close(sequence, .cutBySandbox, status: 200)
            return .json(bytes: bytes) { [bytes] output in
                try await output.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw DeliberateCut()
            }
        case .invalidJSON: bytes.removeLast(bytes.count / 2)
        default: break
        }
        control.ledger.close(sequence, .finished, status: 200)
        return .json(bytes: bytes) { [bytes] output in
            try await output.write(ByteBuffer(bytes: bytes))
            try await output.finish(nil)
        }
    }
}

extension Response {
    fileprivate static func json(
        bytes: [UInt8], _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: bytes.count, write))
    }
}

/// A request that is refused before an operation is carried out.
struct RailwayRefusal: Error, Sendable {
    let status: Int
    private let errors: [GraphQLError]
    private let retryAfter: String?
    private let body: String?
    /// Uploads are no GraphQL and are refused in another shape.
    var isUpload = false

    /// - Parameters:
    ///   - message: nil takes the words that follow from the status.
    ///   - body: sent as it is, in place of the platform's own.
    init(_ status: Int, _ message: String?, retryAfter: String? = nil, body: String? = nil) {
        let words =
            switch status {
            case 401: "Not Authorized"
            case 413: "Payload Too Large"
            case 429: "You are being rate limited. Please try again later."
            case 500: "Problem processing request"
            case 502, 503, 504: "Service unavailable"
            default: "Bad Request"
            }
        self.status = status
        errors = [GraphQLError(message ?? words, status < 500 ? .badUserInput : .internalServerError)]
        self.retryAfter = retryAfter
        self.body = body
    }

    init(_ status: Int, errors: [GraphQLError]) {
        self.status = status
        self.errors = errors
        (retryAfter, body) = (nil, nil)
    }

    var response: Response {
        var headers = HTTPFields()
        headers[.retryAfter] = retryAfter
        if let body {
            headers[.contentType] = body.hasPrefix("{") ? "application/json" : "text/html"
            return Response(
                status: HTTPResponse.Status(code: status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        }
        let json: JSON =
            isUpload
            ? ["message": .string(errors.first?.message ?? "")]
            : ["errors": .array(errors.map(\.json)), "data": .null]
        return .json(HTTPResponse.Status(code: status), json, headers: headers)
    }
}
