/// "Did you mean": finds the allowed word a writer most likely had in mind.
public enum Spelling {
    /// The nearest of the allowed words, or nil where none is near: at most a third of the word's letters, and
    /// never more than three, would have to change.
    public static func nearest(to word: String, among allowed: some Sequence<String>) -> String? {
        let written = Array(word.lowercased().unicodeScalars.prefix(64))
        let tolerance = min(3, max(1, written.count / 3))
        var best: (word: String, distance: Int)?
        for candidate in allowed where candidate != word {
            let distance = distance(written, Array(candidate.lowercased().unicodeScalars.prefix(64)))
            if distance <= tolerance, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Levenshtein distance, with an exchange of neighbours counted once.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1] + Array(repeating: 0, count: right.count)
            for j in right.indices {
                row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
                }
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}
