import Domain

/// A text with `{{references}}`, parsed once and rendered any number of times.
///
/// Rendering is a single pass: a value that itself contains braces is copied, never read as a template.
/// `\{{` stands for two literal braces.
public struct ReferenceTemplate: Sendable, Hashable {
    public enum Segment: Sendable, Hashable {
        case text(String)
        case reference(Reference)
    }

    /// The largest text a template renders to, in bytes.
    public static let maximumRenderedBytes = 4_194_304
    /// Levels of nesting in a value that its references have been replaced in.
    public static let maximumRenderedDepth = 48

    public let segments: [Segment]

    /// - Throws: the first fault of the text.
    public init(_ text: String) throws(ReferenceSyntaxError) {
        let scan = ReferenceScan(text)
        if let fault = scan.faults.first { throw fault }
        segments = scan.segments
    }

    public var references: [Reference] {
        segments.compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
    }

    /// The text with every reference replaced: strings as they are, numbers and booleans as in JSON, arrays joined
    /// by ", ", objects as JSON text, null as nothing.
    public func render(in scope: ReferenceScope) throws(ReferenceError) -> String {
        var output = ""
        for segment in segments {
            switch segment {
            case .text(let text): output += text
            case .reference(let reference):
                let value = try scope.value(of: reference)
                guard value.secretReferences.isEmpty else { throw .secret(reference.name) }
                output += value.inlineText
            }
            guard output.utf8.count <= Self.maximumRenderedBytes else {
                throw .tooLarge(limit: Self.maximumRenderedBytes)
            }
        }
        return output
    }
}

extension JSON {
    /// How a value reads inside a text.
    fileprivate var inlineText: String {
        switch self {
        case .null: ""
        case .string(let text): text
        case .array(let elements): elements.map(\.inlineText).joined(separator: ", ")
        default: text
        }
    }
}
