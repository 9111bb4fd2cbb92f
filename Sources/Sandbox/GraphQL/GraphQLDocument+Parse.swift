extension GraphQLDocument {
    /// Reads an executable document: https://spec.graphql.org/October2021/#sec-Document
    static func parse(_ text: String, limits: GraphQLTokenStream.Limits = .standard) throws(GraphQLError) -> Self {
        var stream = try GraphQLTokenStream(text, limits: limits)
        var document = GraphQLDocument()
        repeat {
            if stream.sees(word: "fragment") {
                document.fragments.append(try stream.fragment())
            } else {
                document.operations.append(try stream.operation())
            }
        } while stream.token.kind != .end
        return document
    }
}

extension GraphQLTokenStream {
    fileprivate mutating func operation() throws(GraphQLError) -> GraphQLOperation {
        let location = token.location
        if sees("{") {
            return GraphQLOperation(
                kind: .query, name: nil, variables: [], directives: [], selections: try selections(),
                location: location)
        }
        guard token.kind == .name, let kind = GraphQLOperation.Kind(rawValue: token.text) else { throw unexpected() }
        try advance()
        let name = token.kind == .name ? try advance().text : nil
        let variables =
            sees("(") ? try items("(", ")") { stream throws(GraphQLError) in try stream.variableDefinition() } : []
        return GraphQLOperation(
            kind: kind, name: name, variables: variables, directives: try directives(isConstant: false),
            selections: try selections(), location: location)
    }

    private mutating func variableDefinition() throws(GraphQLError) -> GraphQLVariableDefinition {
        let location = token.location
        try expect("$")
        let name = try name().text
        try expect(":")
        let type = try typeReference()
        let defaultValue = try skip("=") ? try literal(isConstant: true) : nil
        _ = try directives(isConstant: true)
        return GraphQLVariableDefinition(name: name, type: type, defaultValue: defaultValue, location: location)
    }

    fileprivate mutating func fragment() throws(GraphQLError) -> GraphQLFragment {
        let location = token.location
        try advance()
        if sees(word: "on") { throw unexpected() }
        let name = try name().text
        guard try skip(word: "on") else { throw unexpected() }
        let condition = try self.name().text
        return GraphQLFragment(
            name: name, condition: condition, directives: try directives(isConstant: false),
            selections: try selections(), location: location)
    }

    private mutating func selections() throws(GraphQLError) -> [GraphQLSelection] {
        try items("{", "}") { stream throws(GraphQLError) in try stream.selection() }
    }

    private mutating func selection() throws(GraphQLError) -> GraphQLSelection {
        let location = token.location
        guard try skip("...") else { return .field(try field()) }
        if token.kind == .name, !sees(word: "on") {
            let name = try advance().text
            return .spread(name: name, directives: try directives(isConstant: false), location: location)
        }
        let condition = try skip(word: "on") ? try name().text : nil
        return .inline(
            condition: condition, directives: try directives(isConstant: false), selections: try selections(),
            location: location)
    }

    private mutating func field() throws(GraphQLError) -> GraphQLField {
        let first = try name()
        let name = try skip(":") ? try self.name().text : first.text
        return GraphQLField(
            key: first.text, name: name, arguments: try arguments(isConstant: false),
            directives: try directives(isConstant: false), selections: sees("{") ? try selections() : [],
            location: first.location)
    }

    private mutating func arguments(isConstant: Bool) throws(GraphQLError) -> [GraphQLArgument] {
        guard sees("(") else { return [] }
        return try items("(", ")") { stream throws(GraphQLError) in try stream.argument(isConstant: isConstant) }
    }

    private mutating func directives(isConstant: Bool) throws(GraphQLError) -> [GraphQLDirective] {
        var directives: [GraphQLDirective] = []
        while sees("@") {
            let location = token.location
            try advance()
            let name = try name().text
            directives.append(
                GraphQLDirective(name: name, arguments: try arguments(isConstant: isConstant), location: location))
        }
        return directives
    }
}
