import Domain
import Testing

@testable import Sandbox

// The expectations are those of graphql-js 16 for the published schema.
@Suite struct GraphQLValidationTests {
    private func errors(_ text: String) throws -> [GraphQLError] {
        GraphQLValidator.errors(in: try GraphQLDocument.parse(text), schema: .railway)
    }

    @Test(arguments: [
        "{ project(id: \"p\") { id ...F ... on Project { name } ... { __typename } } } fragment F on Project { id }",
        "query Q($id: String! = \"x\") { project(id: $id) { n: name @skip(if: false) name } }",
        "query Q($a: Boolean!) { me @include(if: $a) { id } }",
        "mutation M($v: String!) { serviceCreate(input: {projectId: $v, variables: {A: $v, B: 7}}) { id } }",
        "query Q($s: [DeploymentStatus!]) { deployments(input: {status: {in: $s}}) { edges { cursor } } }",
        "{ deployments(input: {status: {in: SUCCESS}}) { edges { node { meta } } } }",
        "mutation M($i: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $i) }",
        "{ projects(first: 1, orderBy: NAME_ASC) { pageInfo { endCursor } } }",
    ])
    func takesGoodDocuments(text: String) throws {
        #expect(try errors(text) == [])
    }

    @Test(arguments: [
        ("{ project(id: \"p\") { id owner } }", ["Cannot query field \"owner\" on type \"Project\"."]),
        ("{ owner { id } }", ["Cannot query field \"owner\" on type \"Query\"."]),
        (
            "{ project { id } }",
            ["Field \"project\" argument \"id\" of type \"String!\" is required, but it was not provided."]
        ), ("{ project(id: \"p\", name: \"x\") { id } }", ["Unknown argument \"name\" on field \"Query.project\"."]),
        ("{ project(id: 7) { id } }", ["String cannot represent a non string value: 7"]),
        ("{ project(id: null) { id } }", ["Expected value of type \"String!\", found null."]),
        (
            "{ project(id: \"p\") }",
            [
                "Field \"project\" of type \"Project!\" must have a selection of subfields. "
                    + "Did you mean \"project { ... }\"?"
            ]
        ),
        (
            "{ project(id: \"p\") { id { x } } }",
            ["Field \"id\" must not have a selection since type \"ID!\" has no subfields."]
        ),
        (
            "mutation { projectCreate(input: {title: \"x\"}) { id } }",
            ["Field \"title\" is not defined by type \"ProjectCreateInput\"."]
        ),
        (
            "mutation { serviceCreate(input: {name: \"x\"}) { id } }",
            ["Field \"ServiceCreateInput.projectId\" of required type \"String!\" was not provided."]
        ),
        (
            "query Q($id: Int!) { project(id: $id) { id } }",
            ["Variable \"$id\" of type \"Int!\" used in position expecting type \"String!\"."]
        ),
        (
            "query Q($id: String) { project(id: $id) { id } }",
            ["Variable \"$id\" of type \"String\" used in position expecting type \"String!\"."]
        ), ("query Q { project(id: $id) { id } }", ["Variable \"$id\" is not defined by operation \"Q\"."]),
        (
            "query Q($x: Int) { me { id } }", ["Variable \"$x\" is never used in operation \"Q\"."]
        ), ("query Q($id: Nope!) { project(id: $id) { id } }", ["Unknown type \"Nope\"."]),
        (
            "query Q($id: Project!) { project(id: $id) { id } }",
            ["Variable \"$id\" cannot be non-input type \"Project!\"."]
        ), ("{ me { ...F } }", ["Unknown fragment \"F\"."]),
        ("{ me { ...F } } fragment F on User { id ...F }", ["Cannot spread fragment \"F\" within itself."]),
        (
            "{ me { ...F } } fragment F on Service { id }",
            ["Fragment \"F\" cannot be spread here as objects of type \"User\" can never be of type \"Service\"."]
        ),
        (
            "{ me { ... on Service { id } } }",
            ["Fragment cannot be spread here as objects of type \"User\" can never be of type \"Service\"."]
        ), ("{ me { id } } fragment F on User { id }", ["Fragment \"F\" is never used."]),
        ("{ me { ... on String { id } } }", ["Fragment cannot condition on non composite type \"String\"."]),
        ("{ me { id @later } }", ["Unknown directive \"@later\"."]),
        (
            "{ me { id @skip } }",
            ["Directive \"@skip\" argument \"if\" of type \"Boolean!\" is required, but it was not provided."]
        ),
        (
            "{ me { x: id x: name } }",
            [
                "Fields \"x\" conflict because \"id\" and \"name\" are different fields. Use different aliases on the "
                    + "fields to fetch both if this was intentional."
            ]
        ),
        (
            "{ a: project(id: \"p\") { id } a: project(id: \"q\") { id } }",
            [
                "Fields \"a\" conflict because they have differing arguments. Use different aliases on the fields to "
                    + "fetch both if this was intentional."
            ]
        ), ("{ projects(first: \"x\") { edges { cursor } } }", ["Int cannot represent non-integer value: \"x\""]),
        (
            "{ projects(orderBy: SIZE) { edges { cursor } } }",
            ["Value \"SIZE\" does not exist in \"ProjectsOrderBy\" enum."]
        ),
        (
            "{ projects(orderBy: \"SIZE\") { edges { cursor } } }",
            ["Enum \"ProjectsOrderBy\" cannot represent non-enum value: \"SIZE\"."]
        ), ("query A { me { id } } query A { me { id } }", ["There can be only one operation named \"A\"."]),
        ("{ me { id } } query B { me { id } }", ["This anonymous operation must be the only defined operation."]),
        ("subscription { logs }", ["Schema is not configured to execute subscription operation."]),
        ("{ project(id: \"a\", id: \"b\") { id } }", ["There can be only one argument named \"id\"."]),
        (
            "{ buildLogs(deploymentId: \"d\", startDate: \"soon\") { message } }",
            ["DateTime cannot represent an invalid date-time-string: \"soon\""]
        ),
    ])
    func refusesWhatTheSchemaDoesNotHave(text: String, messages: [String]) throws {
        let errors = try errors(text)
        #expect(errors.map(\.message) == messages)
        #expect(errors.allSatisfy { $0.code == .validationFailed && $0.locations.count == 1 })
    }

    @Test func reportsSeveralErrorsWithTheirPlaces() throws {
        let errors = try errors("{\n  me { a }\n  project(id: \"p\") { b }\n}")
        #expect(errors.map(\.locations) == [[.init(line: 2, column: 8)], [.init(line: 3, column: 22)]])
        #expect(
            errors[0].json == [
                "message": "Cannot query field \"a\" on type \"User\".", "locations": [["line": 2, "column": 8]],
                "extensions": ["code": "GRAPHQL_VALIDATION_FAILED"],
            ])
    }

    @Test func stopsAtADocumentThatMultipliesItself() throws {
        // Each level doubles the fields of the next: 2^20 of them in a few hundred bytes.
        var text = "{ me { ...F0 } }"
        for level in 0..<20 {
            text += " fragment F\(level) on User { workspaces { id } a\(level): workspaces { id } ...F\(level + 1) }"
        }
        text += " fragment F20 on User { id }"
        #expect(try errors(text) == [])
        var nested = "id"
        for level in 0..<14 {
            nested = "project { a\(level): services { edges { node { \(nested) } } } }"
        }
        // Nested deeper than a document may be.
        #expect(throws: GraphQLError.self) { try errors("{ service(id: \"s\") { \(nested) } }") }
        var bomb = "{ service(id: \"s\") { ...B0 } } "
        for level in 0..<16 {
            bomb += "fragment B\(level) on Service { a: project { services { edges { node { ...B\(level + 1) } } } } "
            bomb += "b: project { services { edges { node { ...B\(level + 1) } } } } } "
        }
        bomb += "fragment B16 on Service { id }"
        #expect(try errors(bomb).map(\.message) == ["The query is too complex."])
    }
}
