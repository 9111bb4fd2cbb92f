import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// Anthropic's Messages API under `/anthropic`.
struct AnthropicRoutes: Sendable {
    static let prefix = "/anthropic"
    /// The service takes no longer body.
    static let bodyLimit = 32 << 20

    let keys: AcceptedKeys
    let service: AnthropicService
    let desk: CallDesk<AnthropicRefusal>

    func add(to router: Router<SandboxContext>) {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
            router.on("anthropic/**", method: method) { request, context in
                await respond(to: request, on: context.channel)
            }
        }
    }

    private func respond(to request: Request, on channel: any Channel) async -> Response {
        let path = String(request.uri.path.dropFirst(Self.prefix.count))
        return await desk.respond(path: path, callID: request.headers[.callID]) { sequence in
            try await answer(request, path: path, sequence: sequence, on: channel)
        } mark: { headers, requestID, standing in
            headers[.requestID] = requestID
            standing.writeAnthropic(to: &headers)
        }
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
        let json = try await desk.body(of: request, upTo: Self.bodyLimit)
        let isCount = path.hasSuffix("count_tokens")
        let message = try MessagesRequest(
            json, isBeta: request.uri.queryParameters.get("beta") == "true", isCount: isCount)
        desk.control.ledger.describe(sequence, model: message.model, prompt: message.prompt)
        guard AnthropicModels.known.contains(message.model) else {
            throw AnthropicRefusal(status: 404, type: "not_found_error", message: "model: \(message.model)")
        }
        let tokens = service.inputTokens(of: message)
        try desk.checkRate(tokens: isCount ? 0 : tokens)
        if isCount {
            desk.control.ledger.close(sequence, .finished, status: 200)
            return .json(.ok, ["input_tokens": .integer(Int64(tokens))])
        }
        return try await desk.deliver(
            prompt: message.prompt, isStreamed: message.isStreamed, sequence: sequence, on: channel
        ) { flaw in service.answer(message, key: key, flaw: flaw) }
    }
}
