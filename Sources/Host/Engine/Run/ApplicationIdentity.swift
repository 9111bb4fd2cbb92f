import Domain

/// The application that an execution brings into the world, as every deployment target knows it.
struct ApplicationIdentity: Sendable, Hashable {
    static let maximumNameLength = 40

    let executionID: UUIDv7
    /// `^[a-z][a-z0-9-]{0,39}$`
    let name: String
    let environment: String

    /// The name is what the client calls the application (`app_name`, else `name`), else the template's.
    init(executionID: UUIDv7, configuration: JSON, plan: ExecutionPlan) {
        self.executionID = executionID
        let called = (configuration["app_name"] ?? configuration["name"])?.stringValue
        name = called.flatMap { Self.slug(of: $0) } ?? Self.slug(of: plan.templateSlug) ?? "application"
        environment = plan.deploymentConfig["environment"]?.stringValue ?? "production"
    }

    var json: JSON {
        [
            "id": .string(executionID.description), "name": .string(name), "environment": .string(environment),
        ]
    }

    /// Lower-case letters, digits and single dashes; nil where the text has no letter to begin with.
    private static func slug(of text: String) -> String? {
        var slug = ""
        for byte in text.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): slug.append(Character(UnicodeScalar(byte)))
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !slug.isEmpty:
                slug.append(Character(UnicodeScalar(byte)))
            default: if !slug.isEmpty, slug.last != "-" { slug.append("-") }
            }
            if slug.utf8.count == maximumNameLength { break }
        }
        while slug.last == "-" { slug.removeLast() }
        return slug.isEmpty ? nil : slug
    }
}
