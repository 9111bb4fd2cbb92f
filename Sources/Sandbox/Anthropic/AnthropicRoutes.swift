import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Anthropic's Messages API under `/anthropic`.
struct AnthropicRoutes: Sendable {
    static let prefix = "/anthropic"
    /// The service takes no longer body.
    static let bodyLimit = 32 << 20

    let keys: AcceptedKeys
    let service: AnthropicService
    let rates: RateWindow
    let control: ControlState
    let pace: Pace
    let logger: Logger

    func add(to router: Router<SandboxContext>) {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
            router.on("anthropic/**", method: method) { request, context in
                await respond(to: request, on: context.channel)
            }
        }
    }

    /// One request, from its entry in the ledger to its answer or refusal.
    private func respond(to request: Request, on channel: any Channel) async -> Response {
        let path = String(request.uri.path.dropFirst(Self.prefix.count))
        let sequence = control.ledger.open(.anthropic, path: path, callID: request.headers[.callID])
        let requestID = "req_sandbox_\(sequence)"
        var response: Response
        do {
            response = try await answer(request, path: path, sequence: sequence, on: channel)
        } catch let refusal as AnthropicRefusal {
            control.ledger.close(sequence, .finished, status: refusal.status)
            response = refusal.response(requestID: requestID)
        } catch {
            // The client has gone while its call was held or its body read: nobody reads this answer.
            control.ledger.close(sequence, .cutByClient, status: nil)
            response = Response(status: .badRequest)
        }
        response.headers[.requestID] = requestID
        rates.peek().write(to: &response.headers)
        logger.info(
            "provider call",
            metadata: [
                "provider": "anthropic", "path": "\(path)", "sequence": "\(sequence)",
                "status": "\(response.status.code)",
            ])
        return response
    }

    private func answer(
        _ request: Request, path: String, sequence: Int, on channel: any Channel
    ) async throws -> Response {
        guard ["/v1/messages", "/v1/messages/count_tokens"].contains(path) else {
            throw AnthropicRefusal(status: 404, type: "not_found_error", message: "Not Found")
        }
        guard request.method == .post else {
            var refusal = AnthropicRefusal(
                status: 405, type: "invalid_request_error", message: "Method Not Allowed")
            refusal.headers[.allow] = "POST"
            throw refusal
        }
        let key = try checkedKey(request.headers)
        try checkHeaders(request.headers)
        let json = try await body(of: request)
        let isCount = path.hasSuffix("count_tokens")
        let message = try MessagesRequest(
            json, isBeta: request.uri.queryParameters.get("beta") == "true", isCount: isCount)
        control.ledger.describe(sequence, model: message.model, prompt: message.prompt)
        guard AnthropicModels.known.contains(message.model) else {
            throw AnthropicRefusal(status: 404, type: "not_found_error", message: "model: \(message.model)")
        }
        let tokens = service.inputTokens(of: message)
        try checkRate(tokens: isCount ? 0 : tokens)
        if isCount {
            control.ledger.close(sequence, .finished, status: 200)
            return .json(.ok, ["input_tokens": .integer(Int64(tokens))])
        }
        return try await deliver(message, key: key, sequence: sequence, on: channel)
    }

    /// Answers a good request, with whatever was planned for it.
    private func deliver(
        _ message: MessagesRequest, key: String, sequence: Int, on channel: any Channel
    ) async throws -> Response {
        let plan = CallPlan(
            fault: control.faults.take(.anthropic, prompt: message.prompt),
            gate: control.gates.gate(for: .anthropic, prompt: message.prompt))
        for hold in plan.holds(after: 0, isStreamed: message.isStreamed) {
            try await hold.wait(as: sequence, on: channel)
        }
        try await pace.beforeAnswer()
        if let response = try faultyHead(plan.fault, isStreamed: message.isStreamed, sequence: sequence) {
            return response
        }
        let writer = AnswerWriter(
            answer: service.answer(message, key: key), plan: plan, pace: pace, ledger: control.ledger,
            sequence: sequence, channel: channel)
        return message.isStreamed ? streamed(by: writer) : whole(by: writer)
    }

    private func streamed(by writer: AnswerWriter) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: ResponseBody { output in try await writer.stream(to: &output) })
    }

    private func whole(by writer: AnswerWriter) -> Response {
        var bytes = writer.answer.message.bytes
        if let fault = writer.plan.fault, case .invalidJSON = fault.kind { bytes.removeLast(bytes.count / 2) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: bytes.count) { [bytes] output in
                try await writer.whole(bytes, to: &output)
            })
    }

    /// The error status a fault puts in place of an answer.
    private func faultyHead(_ fault: Fault?, isStreamed: Bool, sequence: Int) throws -> Response? {
        guard let fault else { return nil }
        switch fault.kind {
        case .status(let status, let retryAfter, let shouldRetry, let body):
            var refusal = AnthropicRefusal(status: status)
            refusal.headers[.retryAfter] = retryAfter
            refusal.headers[.shouldRetry] = shouldRetry.map { $0 ? "true" : "false" }
            guard let body else { throw refusal }
            control.ledger.close(sequence, .finished, status: status)
            refusal.headers[.contentType] = "text/html"
            return Response(
                status: HTTPResponse.Status(code: status), headers: refusal.headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        case .overloadedInStream where !isStreamed: throw AnthropicRefusal(status: 529)
        default: return nil
        }
    }
}
