/// What narrows a listing of templates; nil means "any".
public struct TemplateFilter: Sendable, Hashable {
    public var category: String?
    public var complexity: Template.Complexity?
    /// Compared with `estimated_cost.max`; a template without one does not match.
    public var maximumCost: Money?
    public var limit: Int
    /// The slug after which the page begins.
    public var after: String?

    public init(
        category: String? = nil, complexity: Template.Complexity? = nil, maximumCost: Money? = nil, limit: Int = 100,
        after: String? = nil
    ) {
        self.category = category
        self.complexity = complexity
        self.maximumCost = maximumCost
        self.limit = limit
        self.after = after
    }
}

public struct TemplatePage: Sendable {
    /// A JSON array of the API's `Template` objects.
    public let templates: String
    /// How many match the filter in all.
    public let totalCount: Int64
    /// The cursor of the next page; nil on the last.
    public let next: String?

    public init(templates: String, totalCount: Int64, next: String?) {
        self.templates = templates
        self.totalCount = totalCount
        self.next = next
    }
}

/// One of the file of template categories.
public struct TemplateCategory: Sendable, Hashable {
    public let slug: String
    public let name: String
    public let description: String

    public init(slug: String, name: String, description: String) {
        self.slug = slug
        self.name = name
        self.description = description
    }
}

/// The port to the published templates.
public protocol TemplateCatalog: Sendable {
    func list(_ filter: TemplateFilter) async throws(LedgerError) -> TemplatePage
    /// The definition of the current version, by slug or UUID; nil where there is none.
    func source(of id: String) async throws(LedgerError) -> JSON?
    /// Publishes a version. A published version never changes: the same version with another definition is
    /// `rejected`, with the same definition nothing happens.
    func publish(_ template: Template) async throws(LedgerError)
    func publish(_ categories: [TemplateCategory]) async throws(LedgerError)
}
