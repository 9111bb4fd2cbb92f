/// Cuts what a program writes into lines, however it arrives.
struct OutputLines {
    /// Longer lines are cut off, and end in an ellipsis.
    private static let limit = 4_096

    private var line: [UInt8] = []
    private var isCut = false

    /// The lines that these bytes end.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(take())
            } else if line.count < Self.limit {
                line.append(byte)
            } else {
                isCut = true
            }
        }
        return lines
    }

    /// What comes without an end at the end.
    mutating func finish() -> String? { line.isEmpty ? nil : take() }

    private mutating func take() -> String {
        defer { (line, isCut) = ([], false) }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        // No terminal's commands, and nothing that a log could not hold.
        let text = String(decoding: line, as: UTF8.self).unicodeScalars.map { scalar in
            scalar.value < 32 && scalar != "\t" || scalar.value == 127 ? "\u{FFFD}" : scalar
        }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text)
        return String(result) + (isCut ? "…" : "")
    }
}
