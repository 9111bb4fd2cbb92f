import Glibc

extension String {
    /// Where bytes are found for the first time at or after a place; nil where they are not, or are none.
    ///
    /// The library's own search for a part of a text compares characters, which takes seconds for what a prompt carries.
    func firstRange(ofUTF8 part: String, from start: Index) -> Range<Index>? {
        guard !part.isEmpty else { return nil }
        var text = self
        var part = part
        let skipped = text.utf8.distance(from: text.startIndex, to: start)
        let found = text.withUTF8 { bytes in
            part.withUTF8 { sought in unsafe Self.offset(of: sought, in: bytes, from: skipped) }
        }
        guard let found else { return nil }
        let lower = utf8.index(startIndex, offsetBy: found)
        return lower..<utf8.index(lower, offsetBy: part.utf8.count)
    }

    private static func offset(
        of sought: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int? {
        guard let base = bytes.baseAddress, let soughtBase = sought.baseAddress else { return nil }
        var offset = start
        while bytes.count - offset >= sought.count {
            let length = bytes.count - offset - sought.count + 1
            guard let place = unsafe memchr(base + offset, Int32(soughtBase.pointee), length) else { return nil }
            offset = unsafe UnsafeRawPointer(place) - UnsafeRawPointer(base)
            if unsafe memcmp(base + offset, soughtBase, sought.count) == 0 { return offset }
            offset += 1
        }
        return nil
    }
}
