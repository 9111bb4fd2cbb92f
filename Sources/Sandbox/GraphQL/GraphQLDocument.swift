import Domain

/// An executable document: operations and the fragments they share.
struct GraphQLDocument: Sendable {
    var operations: [GraphQLOperation] = []
    var fragments: [GraphQLFragment] = []

    /// The operation of that name; without one, the only operation.
    func operation(named name: String?) throws(GraphQLError) -> GraphQLOperation {
        if let name {
            guard let operation = operations.first(where: { $0.name == name }) else {
                throw GraphQLError("Unknown operation named \"\(name)\".", .badUserInput)
            }
            return operation
        }
        guard let operation = operations.first, operations.count == 1 else {
            throw GraphQLError(
                operations.isEmpty
                    ? "Must provide an operation."
                    : "Must provide operation name if query contains multiple operations.", .badUserInput)
        }
        return operation
    }

    func fragment(_ name: String) -> GraphQLFragment? { fragments.first { $0.name == name } }
}

struct GraphQLOperation: Sendable {
    enum Kind: String, Sendable { case query, mutation, subscription }

    let kind: Kind
    let name: String?
    let variables: [GraphQLVariableDefinition]
    let directives: [GraphQLDirective]
    let selections: [GraphQLSelection]
    let location: GraphQLLocation
}

struct GraphQLVariableDefinition: Sendable {
    let name: String
    let type: GraphQLTypeReference
    let defaultValue: GraphQLLiteral?
    let location: GraphQLLocation
}

struct GraphQLFragment: Sendable {
    let name: String
    let condition: String
    let directives: [GraphQLDirective]
    let selections: [GraphQLSelection]
    let location: GraphQLLocation
}

indirect enum GraphQLSelection: Sendable {
    case field(GraphQLField)
    case spread(name: String, directives: [GraphQLDirective], location: GraphQLLocation)
    case inline(
        condition: String?, directives: [GraphQLDirective], selections: [GraphQLSelection], location: GraphQLLocation)
}

struct GraphQLField: Sendable {
    /// Its name in the answer: the alias, where it has one.
    let key: String
    let name: String
    let arguments: [GraphQLArgument]
    let directives: [GraphQLDirective]
    let selections: [GraphQLSelection]
    let location: GraphQLLocation
}

struct GraphQLDirective: Sendable {
    let name: String
    let arguments: [GraphQLArgument]
    let location: GraphQLLocation
}

struct GraphQLArgument: Sendable {
    let name: String
    let value: GraphQLLiteral
    let location: GraphQLLocation
}

/// A value as it is written in a document.
struct GraphQLLiteral: Sendable {
    indirect enum Kind: Sendable {
        case variable(String)
        /// A string, number or boolean, or null.
        case constant(JSON)
        case enumeration(String)
        case list([GraphQLLiteral])
        case object([GraphQLArgument])
    }

    let kind: Kind
    /// As it was written, for messages.
    let text: String
    let location: GraphQLLocation
}

/// `T`, `[T]` or `T!`.
indirect enum GraphQLTypeReference: Sendable, Hashable, CustomStringConvertible {
    case named(String)
    case list(GraphQLTypeReference)
    case nonNull(GraphQLTypeReference)

    /// The type without lists and non-nulls.
    var name: String {
        switch self {
        case .named(let name): name
        case .list(let type), .nonNull(let type): type.name
        }
    }

    /// The type without an outer non-null.
    var nullable: GraphQLTypeReference { if case .nonNull(let type) = self { type } else { self } }
    var isNonNull: Bool { if case .nonNull = self { true } else { false } }

    var description: String {
        switch self {
        case .named(let name): name
        case .list(let type): "[\(type)]"
        case .nonNull(let type): "\(type)!"
        }
    }
}
