import Domain

/// The types of a service: objects, inputs, enumerations and scalars. Interfaces and unions are not needed here.
struct GraphQLSchema: Sendable {
    /// An argument of a field or a member of an input object.
    struct InputValue: Sendable {
        let name: String
        let type: GraphQLTypeReference
        let defaultValue: GraphQLLiteral?

        var isRequired: Bool { type.isNonNull && defaultValue == nil }
    }

    struct Field: Sendable {
        let name: String
        let arguments: [InputValue]
        let type: GraphQLTypeReference

        func argument(_ name: String) -> InputValue? { arguments.first { $0.name == name } }
    }

    enum Definition: Sendable {
        /// A scalar; the five that GraphQL itself has are in each schema.
        case scalar
        case enumeration([String])
        case object([String: Field])
        case input([InputValue])
    }

    private var definitions: [String: Definition] = [
        "String": .scalar, "Int": .scalar, "Float": .scalar, "Boolean": .scalar, "ID": .scalar,
    ]

    /// What is wrong with a value of a scalar of the service's own, by its name; nil for a good one. A scalar without a
    /// check takes everything.
    var scalarChecks: [String: @Sendable (JSON) -> String?] = [:]

    subscript(name: String) -> Definition? {
        get { definitions[name] }
        set { definitions[name] = newValue }
    }

    func fields(of type: String) -> [String: Field]? {
        if case .object(let fields) = definitions[type] { fields } else { nil }
    }

    func isInput(_ type: String) -> Bool {
        if case .object? = definitions[type] { return false }
        return definitions[type] != nil
    }

    /// The object type whose fields an operation selects from.
    static func root(of kind: GraphQLOperation.Kind) -> String {
        switch kind {
        case .query: "Query"
        case .mutation: "Mutation"
        case .subscription: "Subscription"
        }
    }

    /// Reads definitions in the schema language: `scalar`, `enum`, `type` and `input`, without directives.
    static func parse(_ text: String) throws(GraphQLError) -> GraphQLSchema {
        var stream = try GraphQLTokenStream(text, limits: .none)
        var schema = GraphQLSchema()
        while stream.token.kind != .end {
            let keyword = try stream.name().text
            let name = try stream.name().text
            switch keyword {
            case "scalar": schema[name] = .scalar
            case "enum":
                schema[name] = .enumeration(
                    try stream.items("{", "}") { stream throws(GraphQLError) in try stream.name().text })
            case "type":
                let fields = try stream.items("{", "}") { stream throws(GraphQLError) in try stream.fieldDefinition() }
                schema[name] = .object(Dictionary(fields.map { ($0.name, $0) }) { first, _ in first })
            case "input":
                schema[name] = .input(
                    try stream.items("{", "}") { stream throws(GraphQLError) in try stream.inputValue() })
            default: throw stream.unexpected()
            }
        }
        return schema
    }
}

extension GraphQLTokenStream {
    fileprivate mutating func fieldDefinition() throws(GraphQLError) -> GraphQLSchema.Field {
        let name = try name().text
        let arguments = sees("(") ? try items("(", ")") { stream throws(GraphQLError) in try stream.inputValue() } : []
        try expect(":")
        return GraphQLSchema.Field(name: name, arguments: arguments, type: try typeReference())
    }

    fileprivate mutating func inputValue() throws(GraphQLError) -> GraphQLSchema.InputValue {
        let name = try name().text
        try expect(":")
        let type = try typeReference()
        let defaultValue = try skip("=") ? try literal(isConstant: true) : nil
        return GraphQLSchema.InputValue(name: name, type: type, defaultValue: defaultValue)
    }
}
