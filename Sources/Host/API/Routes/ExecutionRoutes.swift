import Domain
import Hummingbird

/// `GET /v1/executions/{execution_id}` and its resources. An execution of another user is as absent as one that never
/// was.
struct ExecutionRoutes: Sendable {
    let dependencies: APIDependencies
    let authenticator: Authenticator

    func add(to router: Router<APIContext>) {
        router.get(RouterPath(Endpoint.execution.rawValue)) { request, context in
            try await execution(request, context, id: context.parameters["execution_id"] ?? "")
        }
        router.get(RouterPath(Endpoint.resources.rawValue)) { request, context in
            try await resources(request, context, id: context.parameters["execution_id"] ?? "")
        }
    }

    private func execution(_ request: Request, _ context: APIContext, id: Substring) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context)
        var query = QueryReader(request)
        try query.finish()
        guard let execution = UUIDv7(id),
            var text = try await dependencies.reader.execution(execution, of: principal.userID)
        else { throw Problem.noExecution(id) }
        if RevealedSecrets.areMentioned(in: &text) {
            text = try await RevealedSecrets.reveal(text, of: execution, from: dependencies.vault)
        }
        return .json(text)
    }

    private func resources(_ request: Request, _ context: APIContext, id: Substring) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context)
        var query = QueryReader(request)
        try query.finish()
        guard let execution = UUIDv7(id),
            let text = try await dependencies.reader.resources(execution, of: principal.userID)
        else { throw Problem.noExecution(id) }
        return .json(text)
    }
}

extension Problem {
    static func noExecution(_ id: Substring) -> Problem {
        Problem(.executionNotFound, "You have no execution \"\(id.clipped)\".")
    }
}
