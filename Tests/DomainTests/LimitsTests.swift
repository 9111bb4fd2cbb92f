import Foundation
import Testing

/// `docs/limits.md` holds the numbers that the sources hold, and leaves none out.
@Suite struct LimitsTests {
    private struct Row {
        let value: String
        let file: String
        let constant: String
    }

    private struct Constant: Hashable {
        let file: String
        let name: String
    }

    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private let rows: [Row]
    /// The value of each constant of a source whose value is a number.
    private let constants: [Constant: Int]

    init() throws {
        let document = try String(contentsOf: Self.package.appending(path: "docs/limits.md"), encoding: .utf8)
        rows = document.matches(of: /\n\| [^|]+ \| ([0-9][^|]*) \| `([A-Za-z+]+)\.([A-Za-z]+)` \|/).map {
            Row(value: String($0.output.1), file: String($0.output.2), constant: String($0.output.3))
        }
        var constants: [Constant: Int] = [:]
        for folder in ["Sources/Host", "Sources/WireJSON"] {
            let root = Self.package.appending(path: folder)
            for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) where path.hasSuffix(".swift") {
                let source = try String(contentsOf: root.appending(path: path), encoding: .utf8)
                let file = path.split(separator: "/").last?.dropLast(6).description ?? path
                for match in source.matches(of: /(?:let|var) ([A-Za-z]+)(?:: [A-Za-z0-9]+)? = ([0-9_ *<]+)\n/) {
                    constants[Constant(file: file, name: String(match.output.1))] = Self.number(String(match.output.2))
                }
            }
        }
        self.constants = constants
    }

    /// `1 << 20`, `16 * 1_024`, `500`.
    private static func number(_ expression: String) -> Int? {
        let text = expression.replacing("_", with: "").replacing(" ", with: "")
        let shifted = text.split(separator: "<<").map { part in
            part.split(separator: "*").compactMap { Int($0) }.reduce(1, *)
        }
        return shifted.count == 2 ? shifted[0] << shifted[1] : shifted.first
    }

    /// `16 KiB`, `10,000`.
    private static func documented(_ text: String) -> Int? {
        let parts = text.split(separator: " ")
        let units = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        guard let number = parts.first.flatMap({ Int($0.replacing(",", with: "")) }) else { return nil }
        return parts.count == 1 ? number : units[String(parts[1])].map { $0 * number }
    }

    @Test func `every number of the table is that of its constant`() {
        #expect(rows.count > 60)
        for row in rows {
            let value = constants[Constant(file: row.file, name: row.constant)]
            #expect(value != nil && value == Self.documented(row.value), "\(row.file).\(row.constant): \(row.value)")
        }
        #expect(Set(rows.map { Constant(file: $0.file, name: $0.constant) }).count == rows.count)
    }

    /// What bounds only what the host itself makes, and is nobody's to meet.
    private static let internals: Set<String> = [
        "Exchange.maximumPiece", "SourcePlace.maximumCharacters", "InputPatternParser.maximumCount",
        "LogStream.pageLimit",
        "PostgresCatalog.pageLimit", "PostgresLedger+Claim.unreadableLimit",
        "Session.attemptLimit",
        "LaneConnection+Batches.batchLimit", "LaneConnection+Batches.gatheringLimit", "LaneConnection.attemptLimit",
        "ApplicationDatabaseName.limit",
        "ApplicationSessions.limit",
        "ClusterProgram.outputLimit", "ClusterLayout.socketPathLimit", "ClusterServer.logLimit",
        "GitLoop.complaintLimit",
        "JSON.linearMaximum",
    ]

    @Test func `every limit of the sources is in the table`() {
        let listed = Set(rows.map { "\($0.file).\($0.constant)" })
        let limits = constants.keys.filter { key in
            key.name.hasPrefix("maximum") || key.name.hasSuffix("Limit") || key.name.hasSuffix("Maximum")
                || key.name == "limit"
        }
        for limit in limits.map({ "\($0.file).\($0.name)" }).sorted() {
            #expect(listed.contains(limit) != Self.internals.contains(limit), "\(limit)")
        }
        for name in Self.internals { #expect(limits.contains { "\($0.file).\($0.name)" == name }, "\(name) is gone") }
    }
}
