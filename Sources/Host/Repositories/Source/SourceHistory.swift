import Crypto
import Domain

/// The history of an application's source, one commit a contribution, as `git fast-import` reads it.
///
/// Equal contributions give equal bytes, and so equal commits.
struct SourceHistory: Sendable {
    static let author = "AI Backend Team <team@aibackend.invalid>"
    static let branch = "main"
    private static let maximumSummary = 4_000

    /// What `git fast-import` reads.
    let stream: [UInt8]
    /// SHA-256 of the stream: names the repository that it makes.
    let digest: String
    /// What the last commit holds.
    let tree: SourceTree

    /// - Throws: `SourceError` of code `conflict` where the contributions cannot be merged.
    init(_ contributions: [SourceContribution]) throws(SourceError) {
        tree = try SourceTree(merging: contributions)
        var stream = Array("feature done\n".utf8)
        stream.reserveCapacity(contributions.reduce(4_096) { $0 + Self.size($1) })
        // A commit shows what was written; a step that wrote nothing makes none.
        for contribution in contributions where !contribution.files.isEmpty {
            Self.append(contribution, to: &stream)
        }
        stream += Array("done\n".utf8)
        digest = Self.hexadecimal(SHA256.hash(data: stream))
        self.stream = stream
    }

    private static func append(_ contribution: SourceContribution, to stream: inout [UInt8]) {
        let seconds = max(0, contribution.time.microseconds / 1_000_000)
        stream += Array("commit refs/heads/\(branch)\ncommitter \(author) \(seconds) +0000\n".utf8)
        append(data: message(contribution), to: &stream)
        for file in contribution.files {
            // A path has neither quotes nor backslashes nor control characters: `SourcePath` saw to it.
            stream += Array("M 100644 inline \"\(file.path)\"\n".utf8)
            append(data: file.content, to: &stream)
        }
        stream.append(UInt8(ascii: "\n"))
    }

    private static func append(data: String, to stream: inout [UInt8]) {
        stream += Array("data \(data.utf8.count)\n".utf8)
        stream += data.utf8
        stream.append(UInt8(ascii: "\n"))
    }

    private static func message(_ contribution: SourceContribution) -> String {
        let subject = clean(contribution.step, limit: 200).map { $0 == "\n" ? " " : $0 }
        let body = clean(contribution.summary, limit: maximumSummary)
        let title = subject.isEmpty ? "Step" : String(subject)
        return body.isEmpty ? title + "\n" : "\(title)\n\n\(body)\n"
    }

    /// Text of a model, without what terminals or git would take for more than text.
    private static func clean(_ text: String, limit: Int) -> String {
        let scalars = text.unicodeScalars.prefix(limit).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: scalar == "\n" ? "\n" : " "
            default: scalar
            }
        }
        var cleaned = String.UnicodeScalarView()
        cleaned.append(contentsOf: scalars)
        let trimmed = cleaned.drop { $0 == " " || $0 == "\n" }
        return String(String.UnicodeScalarView(trimmed.reversed().drop { $0 == " " || $0 == "\n" }.reversed()))
    }

    private static func size(_ contribution: SourceContribution) -> Int {
        contribution.files.reduce(8_192) { $0 + $1.content.utf8.count + $1.path.utf8.count + 64 }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
