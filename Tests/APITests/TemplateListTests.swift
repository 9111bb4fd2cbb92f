import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct TemplateListTests {
    @Test func answersAPage() async throws {
        let fixture = Fixture()
        fixture.catalog.state.withLock {
            $0.page = TemplatePage(templates: #"[{"id":"saas-starter-v2"}]"#, totalCount: 7, next: "saas-starter-v2")
        }
        try await fixture.test { client in
            let response = try await client.get("/v1/templates", fixture.key)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/json")
            let expected = #"{"templates":[{"id":"saas-starter-v2"}],"total_count":7,"next_cursor":"saas-starter-v2"}"#
            #expect(response.text == expected)
        }
        #expect(fixture.catalog.state.withLock { $0.filters } == [TemplateFilter()])
    }

    @Test func theLastPageHasNoCursor() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let answer = try await client.get("/v1/templates", fixture.key).json
            #expect(answer["next_cursor"] == .null)
        }
    }

    @Test func passesEveryFilterOn() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let uri = "/v1/templates?category=ai-apps&complexity=advanced&max_cost=12.50&limit=5&cursor=chat_bot"
            let response = try await client.get(uri, fixture.key)
            #expect(response.status == .ok)
        }
        let expected = TemplateFilter(
            category: "ai-apps", complexity: .advanced, maximumCost: Money(decimal: "12.5"), limit: 5,
            after: "chat_bot")
        #expect(fixture.catalog.state.withLock { $0.filters } == [expected])
    }

    @Test(arguments: [
        ("complexity=hard", "complexity not_allowed"), ("complexity=", "complexity not_allowed"),
        ("max_cost=cheap", "max_cost invalid_amount"), ("max_cost=-1", "max_cost invalid_amount"),
        ("max_cost=0.0000000000001", "max_cost invalid_amount"), ("limit=0", "limit out_of_range"),
        ("limit=101", "limit out_of_range"), ("limit=ten", "limit out_of_range"),
        ("category=%3Cscript%3E", "category invalid_category"), ("cursor=a%20b", "cursor invalid_cursor"),
        ("limit=1&limit=2", "limit repeated"), ("colour=red", "colour unknown_parameter"),
        ("page=2", "page unknown_parameter"),
    ])
    func refusesBadParameters(query: String, fault: String) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let problem = try await client.get("/v1/templates?\(query)", fixture.key).problem(.invalidParameter)
            #expect(problem.faults == [fault])
            #expect(problem["instance"] == "/v1/templates")
        }
        #expect(fixture.catalog.state.withLock { $0.filters.isEmpty })
    }

    @Test func saysWhatIsAllowedAndWhatWasMeant() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let uri = "/v1/templates?complexity=advnced&catgory=saas"
            let errors = try await client.get(uri, fixture.key).json["errors"]?.arrayValue ?? []
            #expect(errors.count == 2)
            let allowed = #""advnced" is not allowed; allowed: beginner, intermediate, advanced."#
            #expect(errors.first?["detail"] == .string(allowed))
            #expect(errors.first?["suggestion"] == "advanced")
            #expect(errors.last?["suggestion"] == "category")
        }
    }
}
