import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct RailwayProjectTests {
    @Test func makesListsAndDeletesProjects() async throws {
        try await withRailway { client in
            let place = try await client.place()
            _ = try await client.place()
            let names = try await client.data("{ projects { edges { node { name } } } }")
            #expect(names["projects"]?["edges"]?.arrayValue?.count == 2, "names may repeat")
            #expect(
                try await client.data(
                    """
                    query Q($p: String!) { project(id: $p) { name deletedAt services { edges { node { id name } } } } }
                    """, ["p": .string(place.project)])["project"] == [
                        "name": "shop", "deletedAt": .null,
                        "services": ["edges": [["node": ["id": .string(place.service), "name": "app"]]]],
                    ])
            let delete = "mutation M($p: String!) { projectDelete(id: $p) }"
            #expect(try await client.data(delete, ["p": .string(place.project)]) == ["projectDelete": true])
            #expect(try await client.firstError(delete, ["p": .string(place.project)]) == "Project not found")
            let state = try await client.state()
            #expect(state["projects"]?.arrayValue?.count == 1)
            #expect(state["services"]?.arrayValue?.count == 1)
        }
    }

    @Test func pagesThroughConnections() async throws {
        try await withRailway { client in
            for name in ["a", "b", "c"] { _ = try await client.place(name) }
            let query = """
                query Q($first: Int, $after: String) {
                  projects(first: $first, after: $after) {
                    edges { cursor node { name } }
                    pageInfo { hasNextPage hasPreviousPage endCursor }
                  }
                }
                """
            let first = try await client.data(query, ["first": 2])["projects"]
            #expect(first?["edges"]?.arrayValue?.map { $0["node"]?["name"] } == ["a", "b"])
            #expect(first?["pageInfo"]?["hasNextPage"] == true)
            let cursor = try #require(first?["pageInfo"]?["endCursor"])
            let second = try await client.data(query, ["first": 2, "after": cursor])["projects"]
            #expect(second?["edges"]?.arrayValue?.map { $0["node"]?["name"] } == ["c"])
            #expect(second?["pageInfo"]?["hasNextPage"] == false)
            #expect(second?["pageInfo"]?["hasPreviousPage"] == true)
            #expect(try await client.firstError(query, ["after": "nowhere"]) == "Invalid cursor")
            #expect(try await client.firstError(query, ["first": -1]) == "first must not be negative")
        }
    }

    @Test func keepsVariablesAndSettings() async throws {
        try await withRailway { client in
            let place = try await client.place()
            try await client.set(["A": "1", "B": 2], place)
            try await client.set(["B": "3"], place)
            let query =
                "query Q($p: String!, $e: String!, $s: String!) "
                + "{ variables(projectId: $p, environmentId: $e, serviceId: $s) }"
            let variables = try await client.data(query, place.variables)["variables"]
            #expect(variables?["A"] == "1")
            #expect(variables?["B"] == "3")
            #expect(variables?["RAILWAY_SERVICE_NAME"] == "app")
            _ = try await client.data(
                """
                mutation M($s: String!, $e: String!) {
                  serviceInstanceUpdate(serviceId: $s, environmentId: $e, input: {
                    startCommand: "./run", healthcheckPath: "/health", source: {image: "postgres:16"}
                  })
                }
                """, ["s": .string(place.service), "e": .string(place.environment)])
            let instance = try await client.data(
                """
                query Q($s: String!, $e: String!) {
                  serviceInstance(serviceId: $s, environmentId: $e) { startCommand healthcheckPath source { image } }
                }
                """, ["s": .string(place.service), "e": .string(place.environment)])["serviceInstance"]
            #expect(
                instance == [
                    "startCommand": "./run", "healthcheckPath": "/health", "source": ["image": "postgres:16"],
                ])
            #expect(!(try await client.state().text.contains("\"1\"")), "no value of a variable is shown")
        }
    }

    @Test func knowsNothingOfStrangersAndBadInput() async throws {
        try await withRailway(keys: .only(["good"])) { client in
            var stranger = client
            stranger.token = "bad"
            let response = try await stranger.send("{ me { id } }")
            #expect(response.status == .ok)
            #expect(try response.json["errors"]?.arrayValue?.first?["message"] == "Not Authorized")
            #expect(try response.json["data"] == .null)
            stranger.token = nil
            #expect(try await stranger.firstError("{ me { id } }") == "Not Authorized")
            let broken = try await stranger.send("{ me {")
            #expect(broken.status == .badRequest)
            #expect(try broken.json["errors"]?.arrayValue?.first?["extensions"] == ["code": "GRAPHQL_PARSE_FAILED"])
            let unknown = try await stranger.send("{ me { shoeSize } }")
            #expect(unknown.status == .badRequest)
            #expect(
                try unknown.json["errors"]?.arrayValue?.first?["extensions"] == ["code": "GRAPHQL_VALIDATION_FAILED"])
            let plain = try await stranger.send("{ me { id } }", headers: ["content-type": "text/plain"])
            #expect(plain.status == .badRequest)
            #expect(try await client.sandbox.call(.get, "/railway/graphql/v2").status == .methodNotAllowed)
            #expect(try await client.sandbox.call(.post, "/railway/elsewhere").status == .notFound)
        }
    }

    @Test func countsTheHourAndThenRefuses() async throws {
        let clock = ManualClock()
        try await withRailway(limits: RailwayLimits(requestsPerHour: 2), wallClock: clock) { client in
            #expect(try await client.send("{ me { id } }").header("x-ratelimit-remaining") == "1")
            _ = try await client.send("{ me { id } }")
            let refused = try await client.send("{ me { id } }")
            #expect(refused.status == .tooManyRequests)
            #expect(refused.header("retry-after") == "3600")
            #expect(refused.header("x-ratelimit-limit") == "2")
            #expect(refused.header("x-ratelimit-reset") == "2027-01-15T09:00:00.000Z")
            clock.advance(by: .seconds(3_600))
            #expect(try await client.send("{ me { id } }").status == .ok)
        }
    }

    @Test func theLedgerHasOperationsButNoSecrets() async throws {
        try await withRailway { client in
            let place = try await client.place()
            try await client.set(["PASSWORD": "s3cret-value"], place)
            _ = try await client.send("mutation Named { projectDelete(id: \"hidden-literal\") }")
            _ = try await client.upload(place)
            let ledger = try await client.sandbox.call(.get, "/ledger")
            let calls = try ledger.json["calls"]?.arrayValue ?? []
            #expect(calls.map { $0["model"] } == ["M", "M", "M", "Named", "up"])
            #expect(calls.map { $0["prompt"] }.prefix(2) == ["projectCreate", "serviceCreate"])
            #expect(calls.allSatisfy { $0["provider"] == "railway" && $0["state"] == "finished" })
            for secret in ["railway-token", "s3cret-value", "hidden-literal"] {
                #expect(!ledger.text.contains(secret))
            }
        }
    }
}
