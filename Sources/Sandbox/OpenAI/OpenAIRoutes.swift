import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// OpenAI's Responses API under `/openai`.
struct OpenAIRoutes: Sendable {
    static let prefix = "/openai"
    /// The service takes no longer body.
    static let bodyLimit = 32 << 20

    let keys: AcceptedKeys
    let service: OpenAIService
    let desk: CallDesk<OpenAIRefusal>

    func add(to router: Router<SandboxContext>) {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
            router.on("openai/**", method: method) { request, context in
                await respond(to: request, on: context.channel)
            }
        }
    }

    private func respond(to request: Request, on channel: any Channel) async -> Response {
        let path = String(request.uri.path.dropFirst(Self.prefix.count))
        return await desk.respond(path: path, callID: request.headers[.clientRequestID]) { sequence in
            try await answer(request, path: path, sequence: sequence, on: channel)
        } mark: { headers, requestID, standing in
            headers[.openAIRequestID] = requestID
            headers[.openAIVersion] = "2020-10-01"
            standing.writeOpenAI(to: &headers)
        }
    }

    private func answer(
        _ request: Request, path: String, sequence: Int, on channel: any Channel
    ) async throws -> Response {
        guard path == "/v1/responses" else {
            throw OpenAIRefusal(
                status: 404, type: "invalid_request_error",
                message: "Invalid URL (\(request.method.rawValue) \(path.prefix(200)))")
        }
        guard request.method == .post else {
            var refusal = OpenAIRefusal(
                status: 405, type: "invalid_request_error",
                message: "Not allowed to \(request.method.rawValue) on \(path).", code: "method_not_supported")
            refusal.headers[.allow] = "POST"
            throw refusal
        }
        let key = try checkedKey(request.headers)
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            throw OpenAIRefusal.invalid(
                "Unsupported content type. This API method only accepts 'application/json' requests.",
                code: "unsupported_content_type")
        }
        let create = try ResponsesRequest(try await desk.body(of: request, upTo: Self.bodyLimit))
        desk.control.ledger.describe(sequence, model: create.model, prompt: create.prompt)
        guard OpenAIModels.known.contains(create.model) else {
            throw OpenAIRefusal.invalid(
                "The requested model '\(create.model)' does not exist.", "model", code: "model_not_found")
        }
        try desk.checkRate(tokens: service.inputTokens(of: create))
        return try await desk.deliver(
            prompt: create.prompt, isStreamed: create.isStreamed, sequence: sequence, on: channel
        ) { flaw in service.answer(create, key: key, flaw: flaw) }
    }

    /// The bearer key. It goes no further than this file and the cache's hash.
    private func checkedKey(_ headers: HTTPFields) throws(OpenAIRefusal) -> String {
        guard let key = headers.bearerKey else {
            throw OpenAIRefusal(
                status: 401, type: "invalid_request_error",
                message: "You didn't provide an API key. Provide it in an Authorization header using Bearer auth "
                    + "(i.e. Authorization: Bearer YOUR_KEY).")
        }
        guard keys.contains(key) else { throw OpenAIRefusal(status: 401) }
        return key
    }
}

extension RateWindow.Standing {
    func writeOpenAI(to headers: inout HTTPFields) {
        headers[.openAIRequestsLimit] = String(limits.requestsPerMinute)
        headers[.openAIRequestsRemaining] = String(requestsLeft)
        headers[.openAIRequestsReset] = "\(secondsToReset)s"
        headers[.openAITokensLimit] = String(limits.tokensPerMinute)
        headers[.openAITokensRemaining] = String(tokensLeft)
        headers[.openAITokensReset] = "\(secondsToReset)s"
    }
}

// Every name below is a valid token, so none of these is nil.
extension HTTPField.Name {
    /// The client's own id of a call; a host's books are compared with the ledger by it.
    static let clientRequestID = Self("x-client-request-id")!
    static let openAIRequestID = Self("x-request-id")!
    static let openAIVersion = Self("openai-version")!
    static let openAIRequestsLimit = Self("x-ratelimit-limit-requests")!
    static let openAIRequestsRemaining = Self("x-ratelimit-remaining-requests")!
    static let openAIRequestsReset = Self("x-ratelimit-reset-requests")!
    static let openAITokensLimit = Self("x-ratelimit-limit-tokens")!
    static let openAITokensRemaining = Self("x-ratelimit-remaining-tokens")!
    static let openAITokensReset = Self("x-ratelimit-reset-tokens")!
}
