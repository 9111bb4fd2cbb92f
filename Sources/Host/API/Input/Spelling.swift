/// Finds what someone probably meant.
enum Spelling {
    /// The candidate that is at most two edits, and at most a third of the word, away; nil where none is that near.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let word = Array(word.lowercased())
        let allowed = min(2, max(1, word.count / 3))
        return candidates.map { (candidate: $0, distance: distance(word, Array($0.lowercased()))) }
            .filter { $0.distance <= allowed }
            .min { $0.distance < $1.distance }?.candidate
    }

    /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
