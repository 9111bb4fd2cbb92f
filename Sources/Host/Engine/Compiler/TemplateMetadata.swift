import Domain

/// The fields of a template's `metadata`.
struct TemplateMetadata {
    let slug: String
    let name: String
    let version: String
    let description: String
    let author: String?
    let category: String
    let tags: [String]
    let complexity: Template.Complexity
    let estimatedMinutes: Int?
    let costMinimum: Money?
    let costMaximum: Money?

    func template(inputs: [InputDeclaration], plan: ExecutionPlan, source: JSON) -> Template {
        Template(
            slug: slug, name: name, version: version, description: description, author: author, category: category,
            tags: tags, complexity: complexity, estimatedMinutes: estimatedMinutes,
            estimatedCostMinimum: costMinimum, estimatedCostMaximum: costMaximum, inputs: inputs, plan: plan,
            source: source)
    }
}

extension Compilation {
    /// nil only where there are findings.
    mutating func readMetadata(_ node: SourceNode) -> TemplateMetadata? {
        guard
            let fields = FieldReader(
                node, subject: "metadata",
                allowed: [
                    "id", "name", "version", "description", "author", "category", "tags", "complexity",
                    "estimated_time_minutes", "estimated_cost",
                ], findings: &findings)
        else { return nil }
        let slug = identifier(fields, "id", maximum: 200)
        let name = fields.string("name", required: true, maximum: 200, &findings)
        let version = readVersion(fields)
        let description = fields.string("description", required: true, maximum: 4_000, &findings)
        let author = fields.string("author", maximum: 200, &findings)
        let category = identifier(fields, "category", maximum: 100)
        let tags = fields.strings("tags", &findings).map(\.text)
        let complexity: Template.Complexity? = fields.choice("complexity", required: true, &findings)
        let minutes = fields.integer("estimated_time_minutes", in: 1...100_000, &findings)
        let (minimum, maximum) = readCost(fields)
        guard let slug, let name, let version, let description, let category, let complexity else { return nil }
        return TemplateMetadata(
            slug: slug, name: name, version: version, description: description, author: author, category: category,
            tags: tags, complexity: complexity, estimatedMinutes: minutes.map { Int($0) }, costMinimum: minimum,
            costMaximum: maximum)
    }

    private mutating func identifier(_ fields: FieldReader, _ key: String, maximum: Int) -> String? {
        guard let text = fields.string(key, required: true, maximum: maximum, &findings), let node = fields.node[key]
        else { return nil }
        if Identifier.isValid(text) { return text }
        findings.add(
            "invalid_id", "\"\(key)\" of \(fields.subject) is \"\(text)\"; it must match \(Identifier.pattern)",
            suggestion: Identifier.slug(of: text).split(separator: "_").joined(separator: "-"), at: node.place)
        return nil
    }

    private mutating func readVersion(_ fields: FieldReader) -> String? {
        guard let text = fields.string("version", required: true, maximum: 20, &findings),
            let node = fields.node["version"]
        else { return nil }
        // The separator before a pre-release or build may be a dash or a plus (Semantic Versioning 2.0).
        if text.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?/) != nil { return text }
        findings.add(
            "invalid_version", "the version \"\(text)\" is not of the form 1.2.3 or 1.2.3-beta.1", at: node.place)
        return nil
    }

    private mutating func readCost(_ fields: FieldReader) -> (minimum: Money?, maximum: Money?) {
        guard let node = fields.member("estimated_cost", &findings),
            let cost = FieldReader(
                node, subject: "estimated_cost", allowed: ["min", "max", "breakdown"], findings: &findings)
        else { return (nil, nil) }
        let minimum = readMoney(cost, "min")
        let maximum = readMoney(cost, "max")
        if let minimum, let maximum, maximum < minimum, let place = cost.node["max"]?.place {
            findings.add("out_of_range", "estimated_cost.max is less than estimated_cost.min", at: place)
        }
        if let breakdown = cost.member("breakdown", &findings) {
            if case .mapping = breakdown.content {
            } else {
                findings.add(
                    "wrong_type", "\"breakdown\" of estimated_cost must be an object, not \(breakdown.withArticle)",
                    at: breakdown.place)
            }
        }
        return (minimum, maximum)
    }

    private mutating func readMoney(_ fields: FieldReader, _ key: String) -> Money? {
        guard let node = fields.member(key, required: true, &findings) else { return nil }
        let digits: String? =
            switch node.content {
            case .scalar(.integer(let value)): String(value)
            case .scalar(.decimal(let digits)): digits
            default: nil
            }
        if let digits, let money = Money(decimal: digits), money >= .zero { return money }
        findings.add(
            digits == nil ? "wrong_type" : "out_of_range",
            "\"\(key)\" of estimated_cost must be an amount of US dollars such as 8.50, not "
                + (digits ?? node.withArticle), at: node.place)
        return nil
    }
}
