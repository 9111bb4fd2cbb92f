/// Joins pieces of UTF-8 that may end inside a character. Bytes that are no UTF-8 become U+FFFD.
struct TextJoiner: Sendable {
    private var rest: [UInt8] = []

    /// The characters that are complete with this piece.
    mutating func push(_ piece: [UInt8]) -> String {
        let bytes = rest + piece
        let cut = bytes.count - Self.unfinishedCount(bytes)
        rest = Array(bytes[cut...])
        return String(decoding: bytes[..<cut], as: UTF8.self)
    }

    /// What is left at the end of the text: nothing, or a character that was cut off.
    mutating func finish() -> String {
        defer { rest = [] }
        return String(decoding: rest, as: UTF8.self)
    }

    /// How many bytes at the end begin a character that is longer than they are.
    private static func unfinishedCount(_ bytes: [UInt8]) -> Int {
        for (back, byte) in bytes.suffix(3).reversed().enumerated() {
            switch byte {
            case 0x80...0xBF: continue
            case 0xC2...0xDF: return back < 1 ? back + 1 : 0
            case 0xE0...0xEF: return back < 2 ? back + 1 : 0
            case 0xF0...0xF4: return back < 3 ? back + 1 : 0
            default: return 0
            }
        }
        return 0
    }
}
