import Domain
import Testing

@testable import Sandbox

/// A service with a field of each kind.
private struct Things: GraphQLService {
    static let schema: GraphQLSchema = {
        let text = """
            input Size { wide: Int! high: Int = 3 tags: [String!] }
            type Thing { name: String! note: String parts: [Thing!]! odd: [Thing!] echo(size: Size): JSON broken: String! }
            type Query { thing(name: ID = "x"): Thing many(count: Int!): [Thing!]! echo(size: Size!): JSON }
            scalar JSON
            """
        do throws(GraphQLError) {
            return try GraphQLSchema.parse(text)
        } catch {
            preconditionFailure(error.message)
        }
    }()

    struct Thing: GraphQLObject {
        let name: String

        func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
            switch name {
            case "name": return .text(self.name)
            case "parts": return .list([.object(Thing(name: self.name + "1")), .object(Thing(name: self.name + "2"))])
            case "odd": return .list([.object(Thing(name: "good")), .null])
            case "echo": return .leaf(arguments["size"] ?? .null)
            case "broken": throw .refused("It is broken")
            default: return .null
            }
        }
    }

    func value(
        of name: String, _ arguments: JSONObject, in kind: GraphQLOperation.Kind
    ) async throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "many":
            return .list((0..<(arguments["count"]?.integerValue ?? 0)).map { .object(Thing(name: "\($0)")) })
        case "echo": return .leaf(arguments["size"] ?? .null)
        default: return .object(Thing(name: arguments["name"]?.stringValue ?? "?"))
        }
    }
}

@Suite struct GraphQLExecutionTests {
    private func run(_ text: String, _ variables: JSON = [:], name: String? = nil) async throws -> JSON {
        let document = try GraphQLDocument.parse(text)
        try #require(GraphQLValidator.errors(in: document, schema: Things.schema) == [])
        let operation = try document.operation(named: name)
        let values = try GraphQLInput(schema: Things.schema).variables(
            operation.variables, given: variables.objectValue ?? JSONObject())
        return await GraphQLExecutor.run(
            operation, in: document, variables: values, schema: Things.schema, service: Things())
    }

    @Test func answersInTheOrderAndUnderTheNamesAsked() async throws {
        let answer = try await run(
            """
            { b: thing(name: 7) { parts { name } name __typename } thing { ...F note } }
            fragment F on Thing { note n: name ... { parts { name } } parts { note } }
            """)
        #expect(
            answer.text == """
                {"data":{"b":{"parts":[{"name":"71"},{"name":"72"}],"name":"7","__typename":"Thing"},\
                "thing":{"note":null,"n":"x","parts":[{"name":"x1","note":null},{"name":"x2","note":null}]}}}
                """)
    }

    @Test func includesAndSkips() async throws {
        let text = """
            query Q($yes: Boolean!, $no: Boolean = false) {
              thing {
                a: name @include(if: $yes) b: name @skip(if: $yes)
                ... @include(if: $no) { c: name } ...F @skip(if: true)
              }
            }
            fragment F on Thing { d: name }
            """
        #expect(try await run(text, ["yes": true]) == ["data": ["thing": ["a": "x"]]])
        #expect(try await run(text, ["yes": false, "no": true]) == ["data": ["thing": ["b": "x", "c": "x"]]])
    }

    @Test func fillsInDefaultsAndCoerces() async throws {
        let text = """
            query Q($size: Size!, $wide: Int = 5) {
              a: echo(size: $size) b: echo(size: {wide: $wide, tags: "t"})
            }
            """
        #expect(
            try await run(text, ["size": ["wide": 1, "tags": "one"]]) == [
                "data": ["a": ["wide": 1, "high": 3, "tags": ["one"]], "b": ["wide": 5, "high": 3, "tags": ["t"]]]
            ])
    }

    @Test(arguments: [
        ("{}", "Variable \"$size\" of required type \"Size!\" was not provided."),
        ("{\"size\":null}", "Variable \"$size\" of non-null type \"Size!\" must not be null."),
        ("{\"size\":7}", "Variable \"$size\" got invalid value; Expected type \"Size\" to be an object."),
        (
            "{\"size\":{\"high\":1}}",
            "Variable \"$size\" got invalid value; Field \"wide\" of required type \"Int!\" was not provided."
        ),
        (
            "{\"size\":{\"wide\":1,\"deep\":2}}",
            "Variable \"$size\" got invalid value; Field \"deep\" is not defined by type \"Size\"."
        ),
        (
            "{\"size\":{\"wide\":\"secret\"}}",
            "Variable \"$size\" got invalid value at \"size.wide\"; Int cannot represent non-integer value."
        ),
        (
            "{\"size\":{\"wide\":1,\"tags\":[\"a\",7]}}",
            "Variable \"$size\" got invalid value at \"size.tags[1]\"; String cannot represent a non string value."
        ),
        (
            "{\"size\":{\"wide\":4294967296}}",
            "Variable \"$size\" got invalid value at \"size.wide\"; "
                + "Int cannot represent non 32-bit signed integer value."
        ),
    ])
    func refusesVariablesWithoutRepeatingThem(variables: String, message: String) async throws {
        let error = await #expect(throws: GraphQLError.self) {
            try await run("query Q($size: Size!) { echo(size: $size) }", JSON.parse(variables))
        }
        #expect(error?.message == message)
        #expect(error?.code == .badUserInput)
    }

    @Test func anErrorMakesNullOfTheNearestThatMayBe() async throws {
        let answer = try await run("{ a: thing { name broken } b: thing { odd { name } } }")
        #expect(answer["data"] == ["a": .null, "b": ["odd": .null]])
        let errors = answer["errors"]?.arrayValue ?? []
        #expect(errors.map { $0["message"] } == ["It is broken", "Cannot return null for non-nullable field \"odd\"."])
        #expect(errors.map { $0["path"] } == [["a", "broken"], ["b", "odd", 1]])
        #expect(errors[0]["locations"] == [["line": 1, "column": 19]])
        let whole = try await run("{ many(count: 1) { broken } }")
        #expect(whole["data"] == .null)
    }

    @Test func refusesAnAnswerThatGrowsTooLong() async throws {
        let answer = try await run("{ many(count: 60000) { name note } }")
        #expect(answer["data"] == .null)
        #expect(answer["errors"]?.arrayValue?.first?["message"] == "The query is too complex.")
    }

    @Test func picksTheOperationByItsName() async throws {
        let text = "query A { a: thing { name } } query B { b: thing { name } }"
        #expect(try await run(text, name: "B") == ["data": ["b": ["name": "x"]]])
        await #expect(throws: GraphQLError.self) { try await run(text) }
        await #expect(throws: GraphQLError.self) { try await run(text, name: "C") }
    }
}
