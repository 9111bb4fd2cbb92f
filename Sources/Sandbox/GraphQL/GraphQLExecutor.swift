import Domain

/// What a field has for a value.
indirect enum GraphQLValue: Sendable {
    case null
    /// A scalar's or enumeration's value, written as it is.
    case leaf(JSON)
    case object(any GraphQLObject)
    case list([GraphQLValue])

    static func text(_ text: String?) -> GraphQLValue { text.map { .leaf(.string($0)) } ?? .null }
    static func number(_ number: Int?) -> GraphQLValue { number.map { .leaf(.integer(Int64($0))) } ?? .null }
    static func flag(_ flag: Bool) -> GraphQLValue { .leaf(.bool(flag)) }
    static func time(_ time: Timestamp?) -> GraphQLValue { text(time?.description) }
}

/// An object of a service: it knows the values of its fields.
protocol GraphQLObject: Sendable {
    /// - Parameters:
    ///   - name: one of the type's fields; the document was validated.
    ///   - arguments: with their defaults; what was not given is absent.
    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue
}

/// The fields of a service's root types.
protocol GraphQLService: Sendable {
    func value(
        of name: String, _ arguments: JSONObject, in kind: GraphQLOperation.Kind
    ) async throws(GraphQLError) -> GraphQLValue
}

/// Runs a validated operation: https://spec.graphql.org/October2021/#sec-Execution
struct GraphQLExecutor {
    /// Fields that one operation may answer, lists counted: fragments and pages can multiply a short document.
    static let fieldLimit = 100_000

    private let schema: GraphQLSchema
    private let document: GraphQLDocument
    private let variables: JSONObject
    private var errors: [GraphQLError] = []
    private var fieldCount = 0

    /// The whole answer: `data` and, where something failed, `errors`.
    static func run(
        _ operation: GraphQLOperation, in document: GraphQLDocument, variables: JSONObject, schema: GraphQLSchema,
        service: any GraphQLService
    ) async -> JSON {
        var executor = GraphQLExecutor(schema: schema, document: document, variables: variables)
        let data = await executor.runRoot(operation, service)
        var answer = JSONObject()
        if !executor.errors.isEmpty { answer["errors"] = .array(executor.errors.map(\.json)) }
        answer["data"] = data
        return .object(answer)
    }

    private init(schema: GraphQLSchema, document: GraphQLDocument, variables: JSONObject) {
        self.schema = schema
        self.document = document
        self.variables = variables
    }

    /// A field that may not be null has failed; the error is noted already.
    private struct NullBubbles: Error {}

    private mutating func runRoot(_ operation: GraphQLOperation, _ service: any GraphQLService) async -> JSON {
        let type = GraphQLSchema.root(of: operation.kind)
        var object = JSONObject()
        // One after another, as mutations have to.
        for (field, selections) in merged(operation.selections) {
            guard let definition = definition(field, on: type, &object) else { continue }
            let path: [JSON] = [.string(field.key)]
            do {
                let value: GraphQLValue
                do throws(GraphQLError) {
                    value = try await service.value(of: field.name, arguments(field, definition), in: operation.kind)
                } catch {
                    object[field.key] = try failed(error, definition.type, field, path)
                    continue
                }
                object[field.key] = try complete(value, definition.type, field, selections, path)
            } catch {
                return .null
            }
        }
        return .object(object)
    }

    private mutating func answer(
        _ object: any GraphQLObject, _ type: String, _ selections: [GraphQLSelection], _ path: [JSON]
    ) throws(NullBubbles) -> JSON {
        var answer = JSONObject()
        for (field, selections) in merged(selections) {
            guard let definition = definition(field, on: type, &answer) else { continue }
            let path = path + [.string(field.key)]
            fieldCount += 1
            let value: GraphQLValue
            do throws(GraphQLError) {
                guard fieldCount <= Self.fieldLimit else {
                    throw GraphQLError("The query is too complex.", .badUserInput)
                }
                value = try object.value(of: field.name, arguments(field, definition))
            } catch {
                answer[field.key] = try failed(error, definition.type, field, path)
                continue
            }
            answer[field.key] = try complete(value, definition.type, field, selections, path)
        }
        return .object(answer)
    }

    private mutating func complete(
        _ value: GraphQLValue, _ type: GraphQLTypeReference, _ field: GraphQLField, _ selections: [GraphQLSelection],
        _ path: [JSON]
    ) throws(NullBubbles) -> JSON {
        do {
            switch (value, type.nullable) {
            case (.null, _), (.leaf(.null), _):
                guard type.isNonNull else { return .null }
                let message = "Cannot return null for non-nullable field \"\(field.name)\"."
                return try failed(GraphQLError(message, .internalServerError), type, field, path)
            case (.list(let values), .list(let element)):
                var elements: [JSON] = []
                for (index, value) in values.enumerated() {
                    elements.append(try complete(value, element, field, selections, path + [.integer(Int64(index))]))
                }
                return .array(elements)
            case (.object(let object), .named(let name)): return try answer(object, name, selections, path)
            case (.leaf(let json), _): return json
            case (.object, .list), (.object, .nonNull), (.list, .named), (.list, .nonNull):
                let message = "Field \"\(field.name)\" has a value of another type than \"\(type)\"."
                return try failed(GraphQLError(message, .internalServerError), type, field, path)
            }
        } catch {
            if type.isNonNull { throw error }
            return .null
        }
    }

    /// Notes an error; the field is null then, or what holds it is.
    private mutating func failed(
        _ error: GraphQLError, _ type: GraphQLTypeReference, _ field: GraphQLField, _ path: [JSON]
    ) throws(NullBubbles) -> JSON {
        var error = error
        error.locations = [field.location]
        error.path = path
        if errors.count < GraphQLValidator.errorLimit { errors.append(error) }
        if type.isNonNull { throw NullBubbles() }
        return .null
    }

    /// The field's definition; nil for `__typename`, which is answered here.
    private func definition(
        _ field: GraphQLField, on type: String, _ answer: inout JSONObject
    ) -> GraphQLSchema.Field? {
        if field.name == "__typename" { answer[field.key] = .string(type) }
        return schema.fields(of: type)?[field.name]
    }

    private func arguments(_ field: GraphQLField, _ definition: GraphQLSchema.Field) -> JSONObject {
        GraphQLInput(schema: schema).arguments(field.arguments, of: definition.arguments, variables: variables)
    }

    /// The fields that are included, those of one key made one, in the order in which they are asked for.
    private func merged(_ selections: [GraphQLSelection]) -> [(field: GraphQLField, selections: [GraphQLSelection])] {
        var merged: [(field: GraphQLField, selections: [GraphQLSelection])] = []
        var positions: [String: Int] = [:]
        var seen: Set<String> = []
        gather(selections, &merged, &positions, &seen)
        return merged
    }

    private func gather(
        _ selections: [GraphQLSelection], _ merged: inout [(field: GraphQLField, selections: [GraphQLSelection])],
        _ positions: inout [String: Int], _ seen: inout Set<String>
    ) {
        for selection in selections {
            switch selection {
            case .field(let field) where isIncluded(field.directives):
                if let position = positions[field.key] {
                    merged[position].selections += field.selections
                } else {
                    positions[field.key] = merged.count
                    merged.append((field, field.selections))
                }
            case .spread(let name, let directives, _) where isIncluded(directives):
                guard seen.insert(name).inserted, let fragment = document.fragment(name) else { continue }
                if isIncluded(fragment.directives) { gather(fragment.selections, &merged, &positions, &seen) }
            case .inline(_, let directives, let selections, _) where isIncluded(directives):
                gather(selections, &merged, &positions, &seen)
            case .field, .spread, .inline: continue
            }
        }
    }

    private func isIncluded(_ directives: [GraphQLDirective]) -> Bool {
        directives.allSatisfy { directive in
            var condition = false
            switch directive.arguments.first?.value.kind {
            case .constant(.bool(let value)): condition = value
            case .variable(let name): condition = variables[name] == .bool(true)
            default: break
            }
            return directive.name == "skip" ? !condition : condition
        }
    }
}
