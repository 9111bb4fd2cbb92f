/// The parameters of one statement as libpq takes them: pointers to zero-terminated text, in one allocation.
struct ParameterBuffer {
    private var bytes: [CChar] = []
    private var offsets: [Int?] = []

    /// Fails for text with a U+0000, which PostgreSQL cannot hold and libpq would cut off in silence.
    init(_ values: [SQLValue]) throws(DatabaseError) {
        offsets.reserveCapacity(values.count)
        for value in values {
            guard let text = value.wire else {
                offsets.append(nil)
                continue
            }
            guard !text.utf8.contains(0) else {
                throw .refused(
                    ServerRefusal(sqlState: "22021", constraint: nil, message: "a text parameter contains U+0000"))
            }
            offsets.append(bytes.count)
            bytes.reserveCapacity(bytes.count + text.utf8.count + 1)
            for byte in text.utf8 { bytes.append(CChar(bitPattern: byte)) }
            bytes.append(0)
        }
    }

    /// Lends the pointers for the time of the call.
    func withPointers<Value>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            let pointers = unsafe offsets.map { offset in
                unsafe offset.flatMap { unsafe buffer.baseAddress?.advanced(by: $0) }
            }
            return unsafe pointers.withUnsafeBufferPointer { unsafe body(Int32(pointers.count), $0.baseAddress) }
        }
    }
}
