extension String {
    /// Longer texts say nothing more to a reader of a log.
    private static let storableBytes = 65_536

    /// The text as a log line can hold it: PostgreSQL has no U+0000, and one endless line must not cost the
    /// checkpoint that carries it.
    var storable: String {
        var text = self
        if utf8.contains(0) {
            text = String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
        }
        guard text.utf8.count > Self.storableBytes else { return text }
        return String(decoding: text.utf8.prefix(Self.storableBytes), as: UTF8.self) + " … (cut off)"
    }
}
