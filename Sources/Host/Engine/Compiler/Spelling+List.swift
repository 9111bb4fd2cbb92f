import Domain

extension Spelling {
    /// `"a", "b", "c"`, cut off behind `limit` words and a hundred characters of each.
    static func list(_ words: some Sequence<String>, limit: Int = 12) -> String {
        let words = Array(words)
        let shown = words.prefix(limit).map { "\"\($0.prefix(100))\"" }.joined(separator: ", ")
        return words.count > limit ? "\(shown) and \(words.count - limit) more" : shown
    }
}
