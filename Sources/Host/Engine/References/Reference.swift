/// One `{{path.to.value}}` in a template's text.
public struct Reference: Sendable, Hashable {
    /// The names between the dots; never empty. The first is the root: an input, `deployment_config` or an output.
    public let path: [String]
    /// As it is written, braces included.
    public let text: String

    public var root: String { path[0] }
    /// The path with dots, for messages.
    public var name: String { path.joined(separator: ".") }
}

/// Why a text between double braces is not a reference.
public struct ReferenceSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable and machine-readable.
    public let code: String
    public let reason: String
    /// The offending text, cut off where it is long.
    public let text: String

    public var description: String { reason }
}

/// Why a text with references could not be rendered.
public enum ReferenceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nothing is bound to the reference's path.
    case unbound(String)
    /// The rendered text exceeds this many bytes.
    case tooLarge(limit: Int)
    /// The rendered value is nested deeper than this.
    case tooDeep(limit: Int)
    /// The text is not a template; the compiler refuses such a text.
    case malformed(String)
    /// The value is or has a secret, and the reference is only a part of a text.
    case secret(String)

    public var description: String {
        switch self {
        case .unbound(let reference): "nothing is bound to {{\(reference)}}"
        case .tooLarge(let limit): "the rendered text exceeds \(limit) bytes; refer to less, or to single fields"
        case .tooDeep(let limit): "the rendered value is nested deeper than \(limit) levels; refer to parts of it"
        case .malformed(let reason): reason
        case .secret(let reference): "{{\(reference)}} is a secret and cannot be part of a text"
        }
    }
}
