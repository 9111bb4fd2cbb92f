public import WireJSON

/// Reads what an operator configured, and says by name what is wrong with it.
public struct OperatorSettings: Sendable {
    private let configuration: JSON

    /// - Parameter configuration: what `Plugin.init` is given.
    public init(_ configuration: JSON) { self.configuration = configuration }

    /// A text; nil where it is absent or null.
    ///
    /// - Throws: `PluginError` of code `invalid` that names the setting.
    public func text(_ name: String) throws(PluginError) -> String? {
        guard let value = configuration[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw PluginError(.invalid, "setting \(name) must be a non-empty string, not \(value.typeName)")
        }
        return text
    }

    /// A base URL without its trailing slashes. User information is refused: a key does not belong in a URL.
    ///
    /// - Parameter fallback: used where the operator set none; shown as an example where what is set is none.
    /// - Throws: `PluginError` of code `invalid` that names the setting.
    public func baseURL(_ name: String, default fallback: String) throws(PluginError) -> String {
        let url = try text(name) ?? fallback
        let rest: Substring? =
            if url.hasPrefix("https://") {
                url.dropFirst(8)
            } else if url.hasPrefix("http://") {
                url.dropFirst(7)
            } else { nil }
        guard let rest, let first = rest.first, first != "/",
            !rest.contains(where: { "?#@\\".contains($0) || $0.isWhitespace || !$0.isASCII })
        else {
            throw PluginError(
                .invalid,
                "setting \(name) must be an http or https URL without user, query or fragment, such as \(fallback)")
        }
        var origin = url[...]
        while origin.hasSuffix("/") { origin.removeLast() }
        return String(origin)
    }
}
