import PluginABI

extension aib_span {
    /// A copy of the borrowed bytes; nil where the span is longer than `limit` or has a length but no bytes.
    func copy(upTo limit: Int) -> [UInt8]? {
        guard unsafe len <= UInt64(limit) else { return nil }
        guard unsafe len > 0 else { return [] }
        guard let ptr = unsafe ptr else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: ptr, count: Int(len)))
    }

    /// A copy as text; nil where it is too long or not UTF-8.
    func text(upTo limit: Int) -> String? {
        guard let bytes = unsafe copy(upTo: limit) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Lends bytes for the length of one call.
func withSpan<Result>(_ bytes: [UInt8], _ body: (aib_span) -> Result) -> Result {
    unsafe bytes.withUnsafeBufferPointer { buffer in
        unsafe body(aib_span(ptr: buffer.baseAddress, len: UInt64(buffer.count)))
    }
}
