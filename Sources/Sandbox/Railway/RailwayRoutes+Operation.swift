import Domain
import HTTPTypes
import Hummingbird
import NIOCore

// GraphQL over HTTP.
extension RailwayRoutes {
    func operation(_ request: Request, sequence: Int, on channel: any Channel) async throws -> Response {
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            throw RailwayRefusal(400, "This operation has been blocked as a potential Cross-Site Request Forgery.")
        }
        let body: JSON
        do {
            body = try JSON.parse(try await collect(request, upTo: Self.bodyLimit))
        } catch is JSONError {
            throw RailwayRefusal(400, "The request body is not valid JSON.")
        }
        let document: GraphQLDocument
        let (operation, variables): (GraphQLOperation, JSONObject)
        do throws(GraphQLError) {
            document = try GraphQLDocument.parse(try Self.query(in: body))
        } catch {
            throw RailwayRefusal(400, errors: [error])
        }
        let errors = GraphQLValidator.errors(in: document, schema: .railway)
        guard errors.isEmpty else { throw RailwayRefusal(400, errors: errors) }
        do throws(GraphQLError) {
            operation = try document.operation(named: try Self.operationName(in: body))
            control.ledger.describe(
                sequence, model: operation.name ?? operation.kind.rawValue, prompt: Self.fields(of: operation))
            variables = try GraphQLInput(schema: .railway).variables(
                operation.variables, given: try Self.variables(in: body))
        } catch {
            throw RailwayRefusal(400, errors: [error])
        }
        // The platform resolves nothing for a stranger, and says so as of any other error: with status 200.
        guard request.headers.bearerKey.map(keys.contains) == true else {
            throw RailwayRefusal(200, errors: [.refused("Not Authorized")])
        }
        let subject = platform.now.projectName(in: .object(variables)).map { " \($0)" } ?? ""
        return try await deliver(
            prompt: "\(operation.name ?? "") \(Self.fields(of: operation))\(subject)", sequence: sequence, on: channel
        ) {
            await GraphQLExecutor.run(
                operation, in: document, variables: variables, schema: .railway, service: platform)
        }
    }

    /// The body's bytes.
    func collect(_ request: Request, upTo limit: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw RailwayRefusal(413, nil)
        }
        do {
            return Array(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw RailwayRefusal(413, nil)
        }
    }

    private static func query(in body: JSON) throws(GraphQLError) -> String {
        guard let query = body["query"]?.stringValue, !query.isEmpty else {
            throw GraphQLError(
                "GraphQL operations must contain a non-empty `query` or a `persistedQuery` extension.", .badUserInput)
        }
        return query
    }

    private static func operationName(in body: JSON) throws(GraphQLError) -> String? {
        guard let name = body["operationName"], !name.isNull else { return nil }
        guard let text = name.stringValue else {
            throw GraphQLError("`operationName` in a POST body must be a string if provided.", .badUserInput)
        }
        return text
    }

    private static func variables(in body: JSON) throws(GraphQLError) -> JSONObject {
        guard let variables = body["variables"], !variables.isNull else { return JSONObject() }
        guard let object = variables.objectValue else {
            throw GraphQLError("`variables` in a POST body must be an object if provided.", .badUserInput)
        }
        return object
    }

    /// The root fields that stand in the operation itself, for the ledger: neither arguments nor variables.
    private static func fields(of operation: GraphQLOperation) -> String {
        operation.selections.compactMap { if case .field(let field) = $0 { field.name } else { nil } }
            .joined(separator: " ")
    }
}
