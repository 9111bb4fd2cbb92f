import Domain
import Testing

@testable import Sandbox

@Suite struct GraphQLDocumentTests {
    private func argument(_ literal: String) throws -> JSON? {
        let document = try GraphQLDocument.parse("{ a(x: \(literal)) }")
        guard case .field(let field) = document.operations[0].selections[0],
            case .constant(let value) = field.arguments[0].value.kind
        else { return nil }
        return value
    }

    @Test func readsEveryKindOfValue() throws {
        #expect(try argument("-7") == .integer(-7))
        #expect(try argument("99999999999999999999") == .decimal("99999999999999999999"))
        #expect(try argument("1.5e+3") == .decimal("1.5e+3"))
        #expect(try argument("true") == .bool(true))
        #expect(try argument("null") == .null)
        #expect(try argument(#""a\"\\\/\n\u00e9\uD83D\uDE00""#) == .string("a\"\\/\né😀"))
        #expect(
            try argument("\"\"\"\n    one\n      two \\\"\"\"\n\n    three\n    \"\"\"")
                == .string("one\n  two \"\"\"\n\nthree"))
    }

    @Test func readsOperationsFragmentsAndDirectives() throws {
        let document = try GraphQLDocument.parse(
            """
            query A($id: [String!]! = ["x"], $n: Int) @skip(if: false) { # a comment
              me: project(id: $id), ...F @include(if: true)
              ... on T { a } ... { b }
            }
            mutation B { c(input: {list: [1, $v], kind: SOME}) }
            fragment F on T { a }
            """)
        #expect(document.operations.map(\.name) == ["A", "B"])
        #expect(document.operations.map(\.kind) == [.query, .mutation])
        #expect(document.operations[0].variables.map(\.type.description) == ["[String!]!", "Int"])
        #expect(document.operations[0].selections.count == 4)
        #expect(document.fragment("F")?.condition == "T")
        guard case .field(let field) = document.operations[0].selections[0] else {
            Issue.record("no field")
            return
        }
        #expect((field.key, field.name) == ("me", "project"))
    }

    @Test(arguments: [
        ("{ a", "Syntax Error: Expected Name, found <EOF>.", 1, 4),
        ("{ a(x: 1.) }", "Syntax Error: Unexpected character: \")\".", 1, 10),
        ("{ a(x: 01) }", "Syntax Error: Unexpected character: \"1\".", 1, 9),
        ("{ a(x: \"b }", "Syntax Error: Unterminated string.", 1, 12),
        ("{ a(x: \"\\q\") }", "Syntax Error: Invalid character escape sequence.", 1, 9),
        ("{ a(x: \"\\uD800\") }", "Syntax Error: Invalid Unicode escape sequence.", 1, 15),
        ("{\n  é }", "Syntax Error: Unexpected character: \"é\".", 2, 3),
        ("{ \"a\" }", "Syntax Error: Expected Name, found String \"a\".", 1, 3),
        ("query ($a Int) { a }", "Syntax Error: Expected \":\", found Name \"Int\".", 1, 11),
        ("fragment on on A { b }", "Syntax Error: Unexpected Name \"on\".", 1, 10),
        ("{ a(b: $) }", "Syntax Error: Expected Name, found \")\".", 1, 9),
        ("query ($a: Int = $b) { a }", "Syntax Error: Unexpected \"$\".", 1, 18),
        ("{ }", "Syntax Error: Expected Name, found \"}\".", 1, 3), ("", "Syntax Error: Unexpected <EOF>.", 1, 1),
        ("type A { a: Int }", "Syntax Error: Unexpected Name \"type\".", 1, 1),
        ("{ a . b }", "Syntax Error: Unexpected character: \".\".", 1, 5),
    ])
    func saysWhereADocumentIsBroken(text: String, message: String, line: Int, column: Int) {
        let error = #expect(throws: GraphQLError.self) { try GraphQLDocument.parse(text) }
        #expect(error?.message == message)
        #expect(error?.code == .parseFailed)
        #expect(error?.locations == [GraphQLLocation(line: line, column: column)])
    }

    @Test func boundsSizeTokensAndDepth() {
        let limits = GraphQLTokenStream.Limits(bytes: 100, tokens: 20, depth: 4)
        func parses(_ text: String) -> Bool { (try? GraphQLDocument.parse(text, limits: limits)) != nil }
        #expect(parses("{ a { b { c { d } } } }"))
        #expect(!parses("{ a { b { c { d { e } } } } }"))
        #expect(!parses("{ a(x: [[[[1]]]]) }"))
        #expect(!parses("query ($a: [[[[[Int]]]]]) { a }"))
        #expect(!parses("{ " + String(repeating: "a ", count: 19) + "}"))
        #expect(!parses("{ a } #" + String(repeating: "x", count: 100)))
        let deep = String(repeating: "{a", count: 100_000)
        #expect(throws: GraphQLError.self) { try GraphQLDocument.parse(deep) }
    }
}
