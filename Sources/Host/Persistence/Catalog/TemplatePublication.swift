import Domain

/// The statements that publish one version of a template.
struct TemplatePublication {
    let template: Template
    let session: Session

    func run() throws(DatabaseError) {
        let id = try lockedTemplate()
        let published = try session.query(
            """
            SELECT v.digest = encode(sha256(convert_to($3::jsonb::text, 'UTF8')), 'hex') FROM template_versions v
            WHERE v.template_id = $1::uuid AND v.version = $2
            """, [id, .text(template.version), .json(template.source)])
        if !published.isEmpty {
            guard published.bool(0, 0) else {
                throw .aborted(
                    LedgerError(
                        .rejected,
                        "template \(template.slug) \(template.version) is published with another definition, and a "
                            + "published version never changes: publish the new definition under a new version"))
            }
            return
        }
        _ = try session.query(
            """
            INSERT INTO template_versions (template_id, version, definition, digest)
            VALUES ($1::uuid, $2, $3::jsonb, encode(sha256(convert_to($3::jsonb::text, 'UTF8')), 'hex'))
            """, [id, .text(template.version), .json(template.source)])
        try makeCurrent(id)
    }

    /// The template's row, made if there is none, locked until the commit: two hosts publish one after the other.
    private func lockedTemplate() throws(DatabaseError) -> SQLValue {
        _ = try session.query(
            """
            INSERT INTO templates (slug, name, template_schema, configuration_schema)
            VALUES ($1, $2, '{}', '{}') ON CONFLICT (slug) DO NOTHING
            """, [.text(template.slug), .text(template.name)])
        let rows = try session.query(
            "SELECT id FROM templates WHERE slug = $1 FOR NO KEY UPDATE", [.text(template.slug)])
        guard let id = rows.uuid(0, 0) else { throw .disconnected("a template's row is missing") }
        return .uuid(id)
    }

    private func makeCurrent(_ id: SQLValue) throws(DatabaseError) {
        let tags = JSON.array(template.tags.map { .string($0) })
        _ = try session.query(
            """
            UPDATE templates SET
                category_id = $2::uuid, name = $3, description = $4, version = $5, template_schema = $6::jsonb,
                configuration_schema = $7::jsonb, estimated_cost_min = $8::numeric, estimated_cost_max = $9::numeric,
                estimated_time_minutes = $10::integer, complexity_level = $11,
                tags = ARRAY(SELECT jsonb_array_elements_text($12::jsonb)), is_public = true, is_active = true,
                updated_at = now()
            WHERE id = $1::uuid
            """,
            [
                id, try category(), .text(template.name), .text(template.description), .text(template.version),
                .json(template.source), .json(template.configurationSchema),
                template.estimatedCostMinimum.map { .money($0) } ?? .null,
                template.estimatedCostMaximum.map { .money($0) } ?? .null, .integer(template.estimatedMinutes),
                .text(template.complexity.rawValue), .json(tags),
            ])
    }

    /// A category that no file has described yet bears its slug as its name.
    private func category() throws(DatabaseError) -> SQLValue {
        _ = try session.query(
            "INSERT INTO template_categories (slug, name) VALUES ($1, $1) ON CONFLICT DO NOTHING",
            [.text(template.category)])
        let rows = try session.query(
            "SELECT id FROM template_categories WHERE slug = $1", [.text(template.category)])
        guard !rows.isEmpty, let id = rows.uuid(0, 0) else {
            throw .aborted(
                LedgerError(.rejected, "the template's category is the name of another category: use that one's slug"))
        }
        return .uuid(id)
    }
}
