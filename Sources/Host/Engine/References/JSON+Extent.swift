import Domain

extension JSON {
    /// How much text a value stands for, names included, in bytes, and how deep it is nested. A number counts as long as
    /// it gets where it is written out.
    var extent: (bytes: Int, depth: Int) {
        switch self {
        case .string(let text): return (text.utf8.count, 0)
        case .decimal(let digits): return (digits.utf8.count + Self.exponent(of: digits), 0)
        case .array(let elements):
            var extent = (bytes: 0, depth: 0)
            for element in elements {
                let part = element.extent
                extent = (extent.bytes + part.bytes + 1, max(extent.depth, part.depth))
            }
            return (extent.bytes, extent.depth + 1)
        case .object(let object):
            var extent = (bytes: 0, depth: 0)
            for member in object.members {
                let part = member.value.extent
                extent = (
                    extent.bytes + part.bytes + member.key.utf8.count + 1, max(extent.depth, part.depth)
                )
            }
            return (extent.bytes, extent.depth + 1)
        default: return (8, 0)
        }
    }

    /// The size of an exponent, either way.
    private static func exponent(of digits: String) -> Int {
        guard let mark = digits.utf8.lastIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
            return 0
        }
        return Int(digits[digits.utf8.index(after: mark)...]).map { abs($0) } ?? JSON.maximumExponent
    }
}
