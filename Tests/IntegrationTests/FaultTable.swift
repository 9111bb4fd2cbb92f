import Foundation
import Testing

/// One of the tables of `docs/faults.md`: what the page says is what the tests see.
struct FaultTable {
    /// The cells of each row, without backquotes, by the first.
    private(set) var rows: [String: [String]] = [:]

    /// - Parameter section: the heading that the table stands below.
    init(_ section: String) throws {
        let page = try String(contentsOfFile: "docs/faults.md", encoding: .utf8)
        let parts = page.components(separatedBy: "\n## \(section)\n")
        try #require(parts.count == 2, "docs/faults.md has no section \(section)")
        for line in parts[1].components(separatedBy: "\n## ")[0].split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map {
                $0.replacing("`", with: "").trimmingCharacters(in: .whitespaces)
            }
            #expect(rows.updateValue(cells, forKey: cells[0]) == nil, "\(cells[0]) stands there twice")
        }
    }
}
