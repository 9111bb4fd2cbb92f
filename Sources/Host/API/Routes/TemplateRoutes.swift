import Domain
import HTTPTypes
import Hummingbird

/// `GET /v1/templates` and `POST /v1/templates/{template_id}/execute`.
struct TemplateRoutes: Sendable {
    private static let bodyLimit = 1_024 * 1_024
    private static let maximumPage: Int64 = 100

    let dependencies: APIDependencies
    let authenticator: Authenticator

    func add(to router: Router<APIContext>) {
        router.get(RouterPath(Endpoint.templates.rawValue)) { request, context in
            try await list(request, context)
        }
        router.post(RouterPath(Endpoint.execute.rawValue)) { request, context in
            try await execute(request, context, template: context.parameters.get("template_id") ?? "")
        }
    }

    private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try await authenticator.principal(of: request, in: context)
        let page = try await dependencies.catalog.list(try Self.filter(request))
        let next = page.next.map { JSON.string($0).text } ?? "null"
        return .json(
            "{\"templates\":\(page.templates),\"total_count\":\(page.totalCount),\"next_cursor\":\(next)}")
    }

    private static func filter(_ request: Request) throws(Problem) -> TemplateFilter {
        var query = QueryReader(request)
        let category = query.text("category")
        if let category, !isIdentifier(category) {
            query.refuse("category", "invalid_category", "A category has letters, digits, '-' and '_' only.")
        }
        let complexity = query.choice("complexity", of: Template.Complexity.self)
        let costText = query.text("max_cost")
        let cost = costText.flatMap { Money(decimal: $0) }
        if let costText, cost.map({ $0 < .zero }) ?? true {
            query.refuse(
                "max_cost", "invalid_amount",
                "\"\(costText.clipped)\" is not an amount of US dollars, zero or more, such as 12.50.")
        }
        let limit = query.integer("limit", in: 1...maximumPage, default: maximumPage)
        let cursor = query.text("cursor")
        if let cursor, !isIdentifier(cursor) {
            query.refuse("cursor", "invalid_cursor", "A cursor is the next_cursor of an earlier answer.")
        }
        try query.finish()
        return TemplateFilter(
            category: category, complexity: complexity, maximumCost: cost, limit: Int(limit), after: cursor)
    }

    private func execute(
        _ request: Request, _ context: APIContext, template: String
    ) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context)
        let execution = try await Self.read(request, template: template)
        let admission: Admission
        do throws(AdmissionRefusal) {
            admission = try await dependencies.admission.admit(execution, by: principal)
        } catch {
            throw Self.refusal(error, template: template)
        }
        let id = admission.executionID.description
        let url = dependencies.link(to: "/v1/executions/\(id)")
        let secret = execution.webhookURL.flatMap { _ in dependencies.webhookSecret?(admission.executionID) }
        return .json(
            """
            {"execution_id":"\(id)","estimated_completion":"\(admission.estimatedCompletion)",\
            "progress_url":\(JSON.string(url).text)\
            \(secret.map { ",\"webhook_secret\":\(JSON.string($0).text)" } ?? "")}
            """, status: .accepted, headers: [.location: url])
    }

    private static func read(_ request: Request, template: String) async throws -> ExecutionRequest {
        var query = QueryReader(request)
        if !isIdentifier(template) {
            query.refuse("template_id", "invalid_template_id", "A template_id has letters, digits, '-' and '_' only.")
        }
        try query.finish()
        let idempotencyKey = try idempotencyKey(request.headers)
        var reader = ObjectReader(try await JSONBody.read(request, limit: bodyLimit))
        let configuration = reader.object("configuration", isRequired: true) ?? .null
        let webhookURL = reader.string("webhook_url", isRequired: false)
        if let fault = webhookURL.flatMap(WebhookURL.fault) { reader.refuse("webhook_url", "invalid_url", fault) }
        try reader.finish()
        let dangerous = DangerousContent.errors(in: configuration, at: "/configuration")
        guard dangerous.isEmpty else {
            let words = DangerousContent.words.joined(separator: " ")
            throw Problem(.dangerousContent, "A configuration must not contain any of: \(words)", errors: dangerous)
        }
        return ExecutionRequest(
            template: template, configuration: configuration, webhookURL: webhookURL, idempotencyKey: idempotencyKey)
    }

    private static func idempotencyKey(_ headers: HTTPFields) throws(Problem) -> String? {
        let keys = headers[values: .idempotencyKey]
        guard let key = keys.first else { return nil }
        let name = HTTPField.Name.idempotencyKey.rawName
        func refusal(_ code: String, _ detail: String) -> Problem {
            Problem(.invalidHeader, detail, errors: [InputError(place: .header(name), code: code, detail: detail)])
        }
        guard keys.count == 1 else { throw refusal("repeated", "\(name) is given more than once.") }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
            throw refusal("invalid_idempotency_key", "An \(name) has 1 to 255 printable ASCII characters.")
        }
        return key
    }

    private static func refusal(_ refusal: AdmissionRefusal, template: String) -> any Error {
        switch refusal {
        case .templateNotFound:
            return Problem(
                .templateNotFound, "There is no template \"\(template.clipped)\"; GET /v1/templates lists them.")
        case .invalidConfiguration(let diagnostics):
            return Problem(
                .invalidConfiguration, "The configuration does not fit what \"\(template)\" asks for; see errors.",
                errors: diagnostics.all.map { InputError($0) })
        case .cannotRun(let diagnostics):
            return Problem(
                .templateCannotRun, "\"\(template)\" cannot run as this server is set up now; see errors.",
                errors: diagnostics.all.map { InputError($0) })
        case .ledger(let error): return error
        }
    }

    /// `^[a-zA-Z0-9_-]+$`, at most 200 characters.
    private static func isIdentifier(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte == 0x2D || byte == 0x5F
            }
    }
}
