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
        // Columns count characters, so the place's first byte is at or behind this one.
        return Cursor(text: self, scalar: place, position: lineStarts[line - 1] + column - 1)
    }

    fileprivate func lineAndColumn(of offset: Int) -> (line: Int, column: Int) {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        let column = bytes[lineStarts[low]..<offset].count { $0 & 0xC0 != 0x80 }
        return (low + 1, column + 1)
    }
}

extension SourceText {
    /// Finds the pieces of one scalar in their order, in time linear in the text.
    struct Cursor {
        fileprivate let text: SourceText
        fileprivate let scalar: SourcePlace
        fileprivate var position: Int

        /// The place of the next appearance of a piece. nil, from then on, where it is not spelled literally, as in
        /// a string with escapes or a folded line.
        mutating func next(_ piece: String) -> SourcePlace? {
            let wanted = Array(piece.utf8)
            guard let first = wanted.first else { return nil }
            let bytes = text.bytes
            while position + wanted.count <= bytes.count {
                if bytes[position] == first, bytes[position..<position + wanted.count].elementsEqual(wanted) {
                    let (line, column) = text.lineAndColumn(of: position)
                    position += wanted.count
                    return SourcePlace(pointer: scalar.pointer, line: line, column: column, order: scalar.order)
                }
                position += 1
            }
            position = bytes.count
            return nil
        }
    }
}
