/// The text of a template, for finding the line and column of something inside a scalar.
struct SourceText: Sendable {
    fileprivate let bytes: [UInt8]
    private let lineStarts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    /// The line and column of a piece of the text that stands at a place; nil where the place has no line, or where the
    /// piece is not spelled literally there, as in a string with escapes or a folded line. Linear in the text.
    func position(of piece: SourcePlace.Piece, at place: SourcePlace) -> (line: Int, column: Int)? {
        guard let line = place.line, let column = place.column, lineStarts.indices.contains(line - 1) else {
            return nil
        }
        var cursor = Cursor(text: self, position: lineStarts[line - 1], line: line)
        while cursor.column < column, cursor.position < bytes.count, cursor.line == line { cursor.advance() }
        var found: (line: Int, column: Int)?
        for text in piece.texts[...piece.index] {
            found = cursor.next(text)
            guard found != nil else { return nil }
        }
        return found
    }
}

extension SourceText {
    /// Finds the pieces of one scalar in their order.
    private struct Cursor {
        let text: SourceText
        var position: Int
        var line: Int
        var column = 1

        /// The place of the next appearance of a piece; nil where there is none.
        mutating func next(_ piece: String) -> (line: Int, column: Int)? {
            let wanted = Array(piece.utf8)
            guard let first = wanted.first else { return nil }
            while position + wanted.count <= text.bytes.count {
                if text.bytes[position] == first,
                    text.bytes[position..<position + wanted.count].elementsEqual(wanted)
                {
                    let found = (line, column)
                    for _ in wanted { advance() }
                    return found
                }
                advance()
            }
            return nil
        }

        /// Moves on by one byte. Columns count characters: the later bytes of one do not.
        mutating func advance() {
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
