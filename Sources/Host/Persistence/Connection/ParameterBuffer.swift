/// The parameters of one statement as libpq takes them: pointers to zero-terminated text, in one allocation.
struct ParameterBuffer {
    private var bytes: [UInt8] = []
    /// Where each value stands, its terminator left out; nil for SQL null.
    private var ranges: [Range<Int>?] = []

    /// Fails for text with a U+0000, which PostgreSQL cannot hold and libpq would cut off in silence.
    init(_ values: [SQLValue]) throws(DatabaseError) {
        ranges.reserveCapacity(values.count)
        bytes.reserveCapacity(32 * values.count)
        for value in values {
            let start = bytes.count
            guard value.write(into: &bytes) else {
                ranges.append(nil)
                continue
            }
            guard !bytes[start...].contains(0) else {
                throw .refused(
                    ServerRefusal(sqlState: "22021", constraint: nil, message: "a text parameter contains U+0000"))
            }
            ranges.append(start..<bytes.count)
            bytes.append(0)
        }
    }

    /// The parameters of many statements alike as arrays, one of all their values for each.
    ///
    /// - Parameter buffers: as many parameters in each.
    init(arraysOf buffers: [ParameterBuffer]) {
        let parameters = buffers.first?.ranges.count ?? 0
        ranges.reserveCapacity(parameters)
        bytes.reserveCapacity(buffers.reduce(0) { $0 + $1.bytes.count + 4 * $1.ranges.count })
        for parameter in 0..<parameters {
            let start = bytes.count
            for (index, buffer) in buffers.enumerated() {
                bytes.append(index == 0 ? Self.open : Self.comma)
                append(element: parameter, of: buffer)
            }
            bytes.append(Self.close)
            ranges.append(start..<bytes.count)
            bytes.append(0)
        }
    }

    /// As PostgreSQL's array syntax wants it: whatever it may mean elsewhere, between quotes only these two count.
    private mutating func append(element: Int, of buffer: ParameterBuffer) {
        guard let range = buffer.ranges[element] else {
            bytes.append(contentsOf: Self.null)
            return
        }
        bytes.append(Self.quote)
        for byte in buffer.bytes[range] {
            if byte == Self.quote || byte == Self.backslash { bytes.append(Self.backslash) }
            bytes.append(byte)
        }
        bytes.append(Self.quote)
    }

    private static let open = UInt8(ascii: "{")
    private static let close = UInt8(ascii: "}")
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let null = Array("NULL".utf8)

    /// Lends the pointers for the time of the call.
    func withPointers<Value>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
                let pointers = unsafe ranges.map { range in
                    unsafe range.flatMap { unsafe characters.baseAddress?.advanced(by: $0.lowerBound) }
                }
                return unsafe pointers.withUnsafeBufferPointer { unsafe body(Int32(pointers.count), $0.baseAddress) }
            }
        }
    }
}
