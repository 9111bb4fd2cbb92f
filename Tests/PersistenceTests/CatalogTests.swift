import Domain
import Testing

@testable import Persistence

@Suite struct CatalogTests {
    private static func slugs(_ page: TemplatePage) throws -> [String] {
        try JSON.parse(page.templates).arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }

    @Test func filtersNarrowAndTheCountIsOfAllThatMatch() async throws {
        try await TestDatabase.run { test async throws in
            let catalog = PostgresCatalog(test.database)
            try await catalog.publish([
                TemplateCategory(slug: "saas", name: "SaaS", description: "Services"),
                TemplateCategory(slug: "shop", name: "Shops", description: "Commerce"),
            ])
            for (slug, category, complexity, maximum) in [
                ("a", "saas", .beginner, "5.00"), ("b", "saas", .intermediate, "15.00"),
                ("c", "shop", .beginner, "15.000000000001"), ("d", "saas", .beginner, nil),
            ] as [(String, String, Template.Complexity, String?)] {
                try await catalog.publish(
                    .demo(
                        slug: slug, category: category, complexity: complexity,
                        maximum: maximum.flatMap { Money(decimal: $0) }))
            }
            let expectations: [(TemplateFilter, [String], Int64)] = [
                (TemplateFilter(), ["a", "b", "c", "d"], 4),
                (TemplateFilter(category: "saas"), ["a", "b", "d"], 3),
                (TemplateFilter(complexity: .beginner), ["a", "c", "d"], 3),
                (TemplateFilter(maximumCost: Money(decimal: "15")), ["a", "b"], 2),
                (TemplateFilter(category: "none"), [], 0),
                (TemplateFilter(category: "saas", limit: 2), ["a", "b"], 3),
                (TemplateFilter(category: "saas", limit: 2, after: "b"), ["d"], 3),
                (TemplateFilter(after: "z"), [], 4),
            ]
            for (filter, slugs, count) in expectations {
                let page = try await catalog.list(filter)
                #expect(try Self.slugs(page) == slugs)
                #expect(page.totalCount == count)
            }
            let cursors = [
                try await catalog.list(TemplateFilter(limit: 2)).next,
                try await catalog.list(TemplateFilter(limit: 2, after: "b")).next,
            ]
            #expect(cursors == ["b", nil])
        }
    }

    @Test func aTemplateReadsAsTheAPIShowsIt() async throws {
        try await TestDatabase.run { test async throws in
            let catalog = PostgresCatalog(test.database)
            let inputs = [
                InputDeclaration(
                    key: "app_name", kind: .string, label: "Name", description: "The name", pattern: "[a-z]+",
                    options: nil, defaultValue: nil, isOptional: false),
                InputDeclaration(
                    key: "features", kind: .array, label: nil, description: nil, pattern: nil, options: ["x", "y"],
                    defaultValue: ["x"], isOptional: false),
                InputDeclaration(
                    key: "plan", kind: .string, label: nil, description: nil, pattern: nil, options: ["a"],
                    defaultValue: nil, isOptional: true),
            ]
            try await catalog.publish(.demo(inputs: inputs))
            let page = try await catalog.list(TemplateFilter())
            let template = try #require(try JSON.parse(page.templates).arrayValue?.first)
            #expect(template["category"] == "saas" && template["complexity"] == "beginner")
            #expect(template["version"] == "1.0.0" && template["tags"] == ["a", "b"])
            #expect(template["estimated_cost"] == ["min": .decimal("8.5"), "max": 15])
            #expect(template["estimated_time_minutes"] == 5)
            let schema: JSON = [
                "type": "object", "required": ["app_name"],
                "properties": [
                    "app_name": [
                        "type": "string", "title": "Name", "description": "The name", "pattern": "^(?:[a-z]+)$",
                    ],
                    "features": [
                        "type": "array", "items": ["enum": ["x", "y"]], "uniqueItems": true, "default": ["x"],
                    ],
                    "plan": ["type": "string", "enum": ["a"]],
                ],
            ]
            #expect(template["configuration_schema"] == schema)
        }
    }

    @Test func aPublishedVersionNeverChanges() async throws {
        try await TestDatabase.run { test async throws in
            let catalog = PostgresCatalog(test.database)
            try await catalog.publish(.demo(version: "1.0.0", note: "one"))
            try await catalog.publish(.demo(version: "1.0.0", note: "one"))
            let error = await #expect(throws: LedgerError.self) {
                try await catalog.publish(.demo(version: "1.0.0", note: "changed"))
            }
            #expect(error?.code == .rejected && error?.message.contains("demo 1.0.0") == true)
            try await catalog.publish(.demo(version: "2.0.0", note: "two"))
            // A host of the release before comes up again: the current version stays.
            try await catalog.publish(.demo(version: "1.0.0", note: "one"))
            let source = try await catalog.source(of: "demo")
            #expect(source?["template"]?["metadata"]?["note"] == "two")
            #expect(try await test.count("SELECT count(*) FROM template_versions") == 2)
        }
    }

    @Test func aTemplateIsFoundBySlugOrIdentifier() async throws {
        try await TestDatabase.run { test async throws in
            let catalog = PostgresCatalog(test.database)
            try await catalog.publish(.demo())
            let id = try #require(try await test.text("SELECT id FROM templates"))
            let bySlug = try await catalog.source(of: "demo")
            let byID = try await catalog.source(of: id)
            #expect(bySlug == Template.demo().source && byID == bySlug)
            for unknown in ["none", "", "a\0b", TestDatabase.id().description, "'; DROP TABLE templates; --"] {
                let none = try await catalog.source(of: unknown)
                #expect(none == nil)
            }
        }
    }

    @Test func hostsThatPublishTogetherAgree() async throws {
        try await TestDatabase.run { test async throws in
            let catalog = PostgresCatalog(test.database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { try await catalog.publish(.demo()) } }
                try await group.waitForAll()
            }
            #expect(try await test.count("SELECT count(*) FROM template_versions") == 1)
        }
    }
}
