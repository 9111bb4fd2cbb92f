public import Domain

/// The published templates in PostgreSQL.
public struct PostgresCatalog: TemplateCatalog {
    /// Templates of one page, at most.
    private static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    public func list(_ filter: TemplateFilter) async throws(LedgerError) -> TemplatePage {
        let rows = try await database.read(
            Self.listing,
            [
                .text(filter.category), .text(filter.complexity?.rawValue),
                filter.maximumCost.map { .money($0) } ?? .null, .text(filter.after),
                .count(min(max(filter.limit, 1), Self.pageLimit)),
            ])
        return TemplatePage(
            templates: rows.text(0, 0) ?? "[]", totalCount: rows.integer(0, 1) ?? 0, next: rows.text(0, 2))
    }

    public func source(of id: String) async throws(LedgerError) -> JSON? {
        guard !id.utf8.contains(0) else { return nil }
        let rows = try await database.read(
            Self.source, [.text(id), UUIDv7(id).map { .uuid($0) } ?? .null])
        return rows.isEmpty ? nil : rows.json(0, 0)
    }

    public func publish(_ template: Template) async throws(LedgerError) {
        try await database.transaction { session throws(DatabaseError) in
            try TemplatePublication(template: template, session: session).run()
        }
    }

    public func publish(_ categories: [TemplateCategory]) async throws(LedgerError) {
        try await database.transaction { session throws(DatabaseError) in
            for (index, category) in categories.enumerated() {
                _ = try session.query(
                    """
                    INSERT INTO template_categories (slug, name, description, sort_order)
                    VALUES ($1, $2, $3, $4::integer)
                    ON CONFLICT (slug) DO UPDATE SET
                        name = excluded.name, description = excluded.description, sort_order = excluded.sort_order
                    """,
                    [.text(category.slug), .text(category.name), .text(category.description), .count(index)])
            }
        }
    }
}

extension PostgresCatalog {
    private static let source = Statement(
        "template-source",
        """
        SELECT template_schema::text FROM templates WHERE (slug = $1 OR id = $2::uuid) AND is_active
        ORDER BY slug = $1 DESC LIMIT 1
        """)

    private static let listing = Statement(
        "templates",
        """
        WITH matching AS (
            SELECT t.*, c.slug AS category
            FROM templates t LEFT JOIN template_categories c ON c.id = t.category_id
            WHERE t.is_active AND t.is_public
                AND ($1::text IS NULL OR c.slug = $1)
                AND ($2::text IS NULL OR t.complexity_level = $2)
                AND ($3::numeric IS NULL OR t.estimated_cost_max <= $3::numeric)),
        page AS (
            SELECT * FROM matching WHERE $4::text IS NULL OR slug > $4 COLLATE "C"
            ORDER BY slug LIMIT $5::bigint + 1),
        shown AS (SELECT * FROM page ORDER BY slug LIMIT $5::bigint)
        SELECT
            (SELECT coalesce('[' || string_agg(row_to_json(template)::text, ',') || ']', '[]') FROM (
                SELECT slug AS id, name, description, category, complexity_level AS complexity,
                    CASE WHEN estimated_cost_min IS NOT NULL OR estimated_cost_max IS NOT NULL THEN
                        json_build_object(
                            'min', trim_scale(estimated_cost_min), 'max', trim_scale(estimated_cost_max)) END
                        AS estimated_cost,
                    estimated_time_minutes, version, tags, configuration_schema
                FROM shown ORDER BY slug) AS template),
            (SELECT count(*) FROM matching),
            CASE WHEN (SELECT count(*) FROM page) > $5::bigint THEN (SELECT max(slug) FROM shown) END
        """)
}
