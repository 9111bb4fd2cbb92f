/// A template that passed the compiler: what the catalog shows of it, what it asks for, and its plan.
public struct Template: Sendable {
    public enum Complexity: String, Sendable, Hashable, CaseIterable { case beginner, intermediate, advanced }

    /// `metadata.id`: the name under which clients execute it.
    public let slug: String
    public let name: String
    public let version: String
    public let description: String
    public let author: String?
    public let category: String
    public let tags: [String]
    public let complexity: Complexity
    public let estimatedMinutes: Int?
    public let estimatedCostMinimum: Money?
    public let estimatedCostMaximum: Money?
    public let inputs: [InputDeclaration]
    public let plan: ExecutionPlan
    /// The definition as it was submitted, as JSON.
    public let source: JSON

    public init(
        slug: String, name: String, version: String, description: String, author: String?, category: String,
        tags: [String], complexity: Complexity, estimatedMinutes: Int?, estimatedCostMinimum: Money?,
        estimatedCostMaximum: Money?, inputs: [InputDeclaration], plan: ExecutionPlan, source: JSON
    ) {
        self.slug = slug
        self.name = name
        self.version = version
        self.description = description
        self.author = author
        self.category = category
        self.tags = tags
        self.complexity = complexity
        self.estimatedMinutes = estimatedMinutes
        self.estimatedCostMinimum = estimatedCostMinimum
        self.estimatedCostMaximum = estimatedCostMaximum
        self.inputs = inputs
        self.plan = plan
        self.source = source
    }
}

/// One of a template's `required_inputs`.
public struct InputDeclaration: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case string, integer, number, boolean, array, object
    }

    public let key: String
    public let kind: Kind
    public let label: String?
    public let description: String?
    /// A regular expression the whole of a string must match.
    public let pattern: String?
    /// The only values allowed: for an array, those of its elements.
    public let options: [JSON]?
    public let defaultValue: JSON?
    public let isOptional: Bool

    public init(
        key: String, kind: Kind, label: String?, description: String?, pattern: String?, options: [JSON]?,
        defaultValue: JSON?, isOptional: Bool
    ) {
        self.key = key
        self.kind = kind
        self.label = label
        self.description = description
        self.pattern = pattern
        self.options = options
        self.defaultValue = defaultValue
        self.isOptional = isOptional
    }
}
