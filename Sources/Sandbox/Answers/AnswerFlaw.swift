import Domain

/// How what a model writes can miss what was asked of it.
enum AnswerFlaw: String, Sendable, CaseIterable {
    /// JSON that the asked schema does not accept.
    case wrongSchema = "wrong_schema"
    /// Words where JSON was asked for.
    case prose

    /// - Parameter answer: JSON of the asked schema.
    func applied(to answer: JSON) -> String {
        switch self {
        case .wrongSchema: Self.misfit(answer).text
        case .prose: "Here is what I would do. First, I would look at what is there; then, I would begin."
        }
    }

    /// The first value that a schema says the type of, with another type.
    private static func misfit(_ value: JSON) -> JSON {
        guard var object = value.objectValue, let first = object.members.first else {
            return value.stringValue == nil ? "a text" : 7
        }
        object[first.key] = misfit(first.value)
        return .object(object)
    }
}
