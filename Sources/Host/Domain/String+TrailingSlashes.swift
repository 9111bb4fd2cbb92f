extension String {
    /// A base URL to which a path is put: `https://example.com/` as `https://example.com`.
    public var droppingTrailingSlashes: String {
        var text = self[...]
        while text.hasSuffix("/") { text.removeLast() }
        return String(text)
    }
}
