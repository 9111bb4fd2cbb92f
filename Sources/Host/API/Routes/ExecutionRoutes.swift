import Domain
import Hummingbird

/// `GET /v1/executions/{execution_id}` and its logs. An execution of another user is as absent as one that never
/// was.
struct ExecutionRoutes: Sendable {
    private static let maximumLines: Int64 = 1_000
    private static let usualLines: Int64 = 200

    let reader: any ExecutionReader
    let authenticator: Authenticator

    func add(to router: Router<BasicRequestContext>) {
        router.get(RouterPath(Endpoint.execution.rawValue)) { request, context in
            try await execution(request, id: context.parameters["execution_id"] ?? "")
        }
        router.get(RouterPath(Endpoint.logs.rawValue)) { request, context in
            try await logs(request, id: context.parameters["execution_id"] ?? "")
        }
    }

    private func execution(_ request: Request, id: Substring) async throws -> Response {
        let principal = try await authenticator.principal(of: request)
        var query = QueryReader(request)
        try query.finish()
        guard let execution = UUIDv7(id), let text = try await reader.execution(execution, of: principal.userID) else {
            throw Self.notFound(id)
        }
        return .json(text)
    }

    private func logs(_ request: Request, id: Substring) async throws -> Response {
        let principal = try await authenticator.principal(of: request)
        var query = QueryReader(request)
        let after = query.integer("after", in: 0...Int64.max, default: 0)
        let limit = query.integer("limit", in: 1...Self.maximumLines, default: Self.usualLines)
        let stream = query.choice("stream", of: Toggle.self)
        try query.finish()
        if stream == .on {
            let detail = "Streaming is not supported; read pages with after and limit."
            throw Problem(
                .unsupportedParameter, detail,
                errors: [InputError(place: .parameter("stream"), code: "unsupported_parameter", detail: detail)])
        }
        guard let execution = UUIDv7(id),
            let page = try await reader.logs(execution, of: principal.userID, after: after, limit: Int(limit))
        else { throw Self.notFound(id) }
        return .json(
            "{\"logs\":\(page.lines),\"next_after\":\(page.lastSequence),\"has_more\":\(page.hasMore)}")
    }

    private enum Toggle: String, CaseIterable {
        case on = "true"
        case off = "false"
    }

    private static func notFound(_ id: Substring) -> Problem {
        Problem(.executionNotFound, "You have no execution \"\(id.clipped)\".")
    }
}
