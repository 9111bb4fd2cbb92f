/// The text of a template, for finding the line and column of something inside a scalar.
struct SourceText: Sendable {
    fileprivate let bytes: [UInt8]
    private let lineStarts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    /// A cursor that looks for pieces of a scalar from its place on; nil where the place has no line.
    func cursor(at place: SourcePlace) -> Cursor? {
        guard let line = place.line, let column = place.column, lineStarts.indices.contains(line - 1) else {
            return nil
        }
        var cursor = Cursor(text: self, scalar: place, position: lineStarts[line - 1], line: line)
        while cursor.column < column, cursor.position < bytes.count, cursor.line == line { cursor.advance() }
        return cursor
    }
}

extension SourceText {
    /// Finds the pieces of one scalar in their order, in time linear in the text.
    struct Cursor {
        fileprivate let text: SourceText
        fileprivate let scalar: SourcePlace
        fileprivate var position: Int
        fileprivate var line: Int
        fileprivate var column = 1

        /// The place of the next appearance of a piece. nil, from then on, where it is not spelled literally, as in
        /// a string with escapes or a folded line.
        mutating func next(_ piece: String) -> SourcePlace? {
            let wanted = Array(piece.utf8)
            guard let first = wanted.first else { return nil }
            while position + wanted.count <= text.bytes.count {
                if text.bytes[position] == first,
                    text.bytes[position..<position + wanted.count].elementsEqual(wanted)
                {
                    let place = SourcePlace(
                        pointer: scalar.pointer, line: line, column: column, order: scalar.order)
                    for _ in wanted { advance() }
                    return place
                }
                advance()
            }
            position = text.bytes.count
            return nil
        }

        /// Moves on by one byte. Columns count characters: the later bytes of one do not.
        fileprivate mutating func advance() {
            let byte = text.bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if position == text.bytes.count || text.bytes[position] & 0xC0 != 0x80 {
                column += 1
            }
        }
    }
}
