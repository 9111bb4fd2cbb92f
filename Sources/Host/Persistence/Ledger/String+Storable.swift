import Domain

extension String {
    /// Longer texts say nothing more to a reader of a log.
    private static let textLimit = 65_536
    /// A plugin may name a model as it likes; nothing that has a meaning is longer.
    private static let nameLimit = 1_000

    /// The text as a log line can hold it: PostgreSQL has no U+0000, and one endless line must not cost the
    /// checkpoint that carries it.
    var storable: String { bounded(Self.textLimit) }

    /// The same for a name that a plugin or provider gave.
    var storableName: String { bounded(Self.nameLimit) }

    /// The end of a long text, at most `limit` bytes of it: of a log the end is what matters.
    func storableEnd(_ limit: Int) -> String {
        let text = withoutZero
        guard text.utf8.count > limit else { return text }
        // A character that was cut begins with bytes of its rest.
        return String(decoding: text.utf8.suffix(limit).drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
    }

    fileprivate var withoutZero: String {
        guard utf8.contains(0) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }

    private func bounded(_ limit: Int) -> String {
        let text = withoutZero
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self) + " … (cut off)"
    }
}

extension JSON {
    /// More digits than these mean nothing, and PostgreSQL's numbers end somewhere.
    private static let digitLimit = 100

    /// The value as `jsonb` can hold it whoever wrote it: no U+0000, and a number out of all proportion as its text.
    /// For what accompanies a checkpoint; a step's output is stored as it is or refused.
    var storable: JSON {
        switch self {
        case .null, .bool, .integer: self
        case .decimal(let digits): Self.isModest(digits) ? self : .string(digits.storableName)
        case .string(let text): .string(text.withoutZero)
        case .array(let elements): .array(elements.map(\.storable))
        case .object(let object):
            .object(
                object.members.reduce(into: JSONObject()) { result, member in
                    result[member.key.withoutZero] = member.value.storable
                })
        }
    }

    /// At most a three-digit exponent.
    private static func isModest(_ digits: String) -> Bool {
        guard digits.utf8.count <= digitLimit else { return false }
        guard let mark = digits.utf8.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) else {
            return true
        }
        return digits.utf8[mark...].drop { !(UInt8(ascii: "1")...UInt8(ascii: "9") ~= $0) }.count <= 3
    }
}
