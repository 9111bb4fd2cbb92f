import Domain

/// The tokens of a document, one of them in view; what both parsers share.
struct GraphQLTokenStream {
    /// Bytes, tokens and levels of nesting that a document may have.
    struct Limits: Sendable {
        var bytes = 256 << 10
        var tokens = 20_000
        var depth = 32

        static let standard = Limits()
        /// For the schema that comes with the program.
        static let none = Limits(bytes: .max, tokens: .max, depth: .max)
    }

    private var lexer: GraphQLLexer
    private let limits: Limits
    private var count = 0
    private var depth = 0
    private(set) var token: GraphQLToken
    /// Where the token in view begins, and where the one before it ended.
    private(set) var start: Int
    private(set) var previousEnd = 0

    init(_ text: String, limits: Limits) throws(GraphQLError) {
        guard text.utf8.count <= limits.bytes else {
            throw GraphQLError("Syntax Error: Document contains more than \(limits.bytes) bytes.", .parseFailed)
        }
        self.limits = limits
        lexer = GraphQLLexer(text)
        (token, start) = try lexer.next()
    }

    func text(from offset: Int) -> String { lexer.text(offset..<max(offset, previousEnd)) }

    /// - Returns: the token that was in view.
    @discardableResult mutating func advance() throws(GraphQLError) -> GraphQLToken {
        count += 1
        guard count <= limits.tokens else {
            throw syntax("Document contains more than \(limits.tokens) tokens. Parsing aborted.")
        }
        let passed = token
        previousEnd = passed.end
        (token, start) = try lexer.next()
        return passed
    }

    func sees(_ punctuator: String) -> Bool { token.kind == .punctuator && token.text == punctuator }
    func sees(word: String) -> Bool { token.kind == .name && token.text == word }

    mutating func skip(_ punctuator: String) throws(GraphQLError) -> Bool {
        guard sees(punctuator) else { return false }
        try advance()
        return true
    }

    mutating func skip(word: String) throws(GraphQLError) -> Bool {
        guard sees(word: word) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ punctuator: String) throws(GraphQLError) {
        guard sees(punctuator) else { throw syntax("Expected \"\(punctuator)\", found \(found).") }
        try advance()
    }

    mutating func name() throws(GraphQLError) -> GraphQLToken {
        guard token.kind == .name else { throw syntax("Expected Name, found \(found).") }
        return try advance()
    }

    /// One item or more between two punctuators.
    mutating func items<Item>(
        _ opening: String, _ closing: String, canBeEmpty: Bool = false,
        _ item: (inout GraphQLTokenStream) throws(GraphQLError) -> Item
    ) throws(GraphQLError) -> [Item] {
        try expect(opening)
        depth += 1
        guard depth <= limits.depth else { throw syntax("Document is nested deeper than \(limits.depth) levels.") }
        var items: [Item] = []
        while !sees(closing) || (items.isEmpty && !canBeEmpty) { items.append(try item(&self)) }
        depth -= 1
        try advance()
        return items
    }

    func unexpected() -> GraphQLError { syntax("Unexpected \(found).") }

    private func syntax(_ message: String) -> GraphQLError {
        GraphQLError("Syntax Error: \(message)", .parseFailed, at: token.location)
    }

    private var found: String {
        switch token.kind {
        case .punctuator: "\"\(token.text)\""
        case .name: "Name \"\(token.text)\""
        case .integer: "Int \"\(token.text)\""
        case .float: "Float \"\(token.text)\""
        case .string: "String \"\(token.text.prefix(40))\""
        case .end: "<EOF>"
        }
    }
}

extension GraphQLTokenStream {
    mutating func typeReference() throws(GraphQLError) -> GraphQLTypeReference {
        var type: GraphQLTypeReference
        if sees("[") {
            let types = try items("[", "]") { stream throws(GraphQLError) in try stream.typeReference() }
            guard types.count == 1 else { throw unexpected() }
            type = .list(types[0])
        } else {
            type = .named(try name().text)
        }
        if try skip("!") { type = .nonNull(type) }
        return type
    }

    /// - Parameter isConstant: no variables in it.
    mutating func literal(isConstant: Bool) throws(GraphQLError) -> GraphQLLiteral {
        let (start, location) = (start, token.location)
        let kind = try literalKind(isConstant: isConstant)
        return GraphQLLiteral(kind: kind, text: text(from: start), location: location)
    }

    private mutating func literalKind(isConstant: Bool) throws(GraphQLError) -> GraphQLLiteral.Kind {
        switch token.kind {
        case .punctuator where token.text == "[":
            return .list(
                try items("[", "]", canBeEmpty: true) { stream throws(GraphQLError) in
                    try stream.literal(isConstant: isConstant)
                })
        case .punctuator where token.text == "{":
            return .object(
                try items("{", "}", canBeEmpty: true) { stream throws(GraphQLError) in
                    try stream.argument(isConstant: isConstant)
                })
        case .punctuator where token.text == "$" && !isConstant:
            try advance()
            return .variable(try name().text)
        case .integer:
            let text = try advance().text
            return .constant(Int64(text).map { .integer($0) } ?? .decimal(text))
        case .float: return .constant(.decimal(try advance().text))
        case .string: return .constant(.string(try advance().text))
        case .name:
            switch try advance().text {
            case "true": return .constant(.bool(true))
            case "false": return .constant(.bool(false))
            case "null": return .constant(.null)
            case let word: return .enumeration(word)
            }
        default: throw unexpected()
        }
    }

    mutating func argument(isConstant: Bool) throws(GraphQLError) -> GraphQLArgument {
        let name = try name()
        try expect(":")
        return GraphQLArgument(name: name.text, value: try literal(isConstant: isConstant), location: name.location)
    }
}
