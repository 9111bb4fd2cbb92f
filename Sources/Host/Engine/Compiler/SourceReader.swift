import Domain
import Yams

/// Reads a template's text, YAML or JSON, into a tree of values with their places.
///
/// Scalars are typed by the core schema of YAML 1.2: `yes` is a string, `8.50` keeps its digits. Aliases are
/// refused, and they are found without ever being expanded: every `*` of the text is replaced by a character the
/// text does not contain before the parser sees it, which makes an alias a plain scalar that begins with that
/// character; afterwards the character is turned back.
struct SourceReader {
    static let maximumBytes = 1_048_576
    static let maximumDepth = 32

    private var marker: Unicode.Scalar = "\u{E000}"
    private var order = 0
    private var findings = Findings()

    /// - Throws: `Diagnostics` for a text that is not one YAML document of JSON values within the limits.
    static func read(_ bytes: [UInt8], file: String?) throws(Diagnostics) -> SourceNode {
        var reader = SourceReader()
        guard let node = reader.read(bytes), reader.findings.isEmpty else {
            throw reader.findings.diagnostics(file: file)
        }
        return node
    }

    private mutating func read(_ bytes: [UInt8]) -> SourceNode? {
        guard bytes.count <= Self.maximumBytes else {
            findings.add(
                "too_large", "the template has \(bytes.count) bytes; at most \(Self.maximumBytes) are allowed",
                at: Self.start)
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            findings.add("invalid_utf8", "the template is not valid UTF-8; save it as UTF-8", at: Self.start)
            return nil
        }
        let isJSON = bytes.first { !SourceReader.isSpace($0) } == UInt8(ascii: "{")
        guard let prepared = prepare(text, isJSON: isJSON) else { return nil }
        do {
            guard let root = try Parser(yaml: prepared, resolver: .basic, encoding: .utf8).singleRoot() else {
                findings.add("empty", "the template is empty", at: Self.start)
                return nil
            }
            return convert(root, .root, depth: 0)
        } catch let error as YamlError {
            report(error)
        } catch {
            findings.add("syntax", "the template cannot be read", at: Self.start)
        }
        return nil
    }

    private static let start = SourcePlace(path: .root, line: 1, column: 1, order: 0)

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// Takes the aliases out of reach of the parser and, in JSON, joins escaped surrogate pairs, which YAML lacks.
    private mutating func prepare(_ text: String, isJSON: Bool) -> String? {
        var prepared = isJSON ? Self.joiningSurrogates(text) : text
        guard prepared.utf8.contains(UInt8(ascii: "*")) else { return prepared }
        let used = Set(prepared.unicodeScalars.filter { (0xE000...0xF8FF).contains($0.value) })
        let privateUse = (UInt32(0xE000)...0xF8FF).lazy.compactMap { Unicode.Scalar($0) }
        guard let free = privateUse.first(where: { !used.contains($0) }) else {
            findings.add("syntax", "the template uses every private-use character", at: Self.start)
            return nil
        }
        marker = free
        prepared = Self.replacing("*", with: free, in: prepared)
        return prepared
    }

    private static func replacing(_ old: Unicode.Scalar, with new: Unicode.Scalar, in text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(scalar == old ? new : scalar) }
        return String(scalars)
    }

    /// `\uD83D\uDE00`, which JSON allows, as `\U0001F600`, which YAML allows.
    private static func joiningSurrogates(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.indices.contains(where: { bytes[$0] == UInt8(ascii: "\\") && hex(bytes, $0).map(isHigh) == true })
        else { return text }
        var output: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if let high = hex(bytes, position), isHigh(high), let low = hex(bytes, position + 6),
                (0xDC00...0xDFFF).contains(low)
            {
                let digits = String(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), radix: 16)
                output += Array(("\\U" + String(repeating: "0", count: 8 - digits.count) + digits).utf8)
                position += 12
            } else {
                let length = bytes[position] == UInt8(ascii: "\\") && position + 1 < bytes.count ? 2 : 1
                output += bytes[position..<position + length]
                position += length
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isHigh(_ unit: UInt32) -> Bool { (0xD800...0xDBFF).contains(unit) }

    /// The code unit of the `\uXXXX` that begins at `position`, if one does.
    private static func hex(_ bytes: [UInt8], _ position: Int) -> UInt32? {
        guard position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return nil }
        return UInt32(String(decoding: bytes[position + 2..<position + 6], as: UTF8.self), radix: 16)
    }
}

extension SourceReader {
    private mutating func place(_ node: Node, _ trail: SourceTrail) -> SourcePlace {
        order += 1
        return SourcePlace(path: trail, line: node.mark?.line, column: node.mark?.column, order: order)
    }

    private mutating func convert(_ node: Node, _ trail: SourceTrail, depth: Int) -> SourceNode? {
        let place = place(node, trail)
        guard depth <= Self.maximumDepth else {
            findings.add("too_deep", "nested deeper than \(Self.maximumDepth) levels", at: place)
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return self.scalar(scalar, at: place).map { SourceNode(content: .scalar($0), place: place) }
        case .sequence(let sequence):
            guard isUntagged(sequence.tag, .seq, at: place) else { return nil }
            let nodes = sequence.enumerated().map { index, element in
                convert(element, trail.element(index), depth: depth + 1)
            }
            return SourceNode(content: .sequence(nodes.compactMap { $0 }), place: place)
        case .mapping(let mapping):
            guard isUntagged(mapping.tag, .map, at: place) else { return nil }
            let members = mapping.map { member($0.key, $0.value, trail, depth: depth) }
            return SourceNode(content: .mapping(members.compactMap { $0 }), place: place)
        case .alias:
            findings.add("alias", "aliases are not supported: repeat the value", at: place)
            return nil
        }
    }

    private mutating func member(
        _ key: Node, _ value: Node, _ trail: SourceTrail, depth: Int
    ) -> SourceNode.Member? {
        guard case .scalar(let scalar) = key else {
            findings.add("key_type", "a key must be a string", at: place(key, trail))
            return nil
        }
        guard let name = text(scalar, at: place(key, trail)) else { return nil }
        let path = trail.member(name)
        let keyPlace = place(key, path)
        return convert(value, path, depth: depth + 1).map {
            SourceNode.Member(key: name, keyPlace: keyPlace, value: $0)
        }
    }

    private mutating func isUntagged(_ tag: Tag, _ own: Tag.Name, at place: SourcePlace) -> Bool {
        if tag.rawValue == "" || tag.rawValue == "!" || tag.rawValue == own.rawValue { return true }
        findings.add("tag", "the tag \(tag.rawValue) is not supported; remove it", at: place)
        return false
    }

    /// The scalar's text with its asterisks back; nil after reporting what may not be.
    private mutating func text(_ scalar: Node.Scalar, at place: SourcePlace) -> String? {
        if scalar.style == .plain, scalar.string.unicodeScalars.first == marker {
            findings.add(
                "alias", "aliases are not supported: repeat the value, or quote text that begins with *", at: place)
            return nil
        }
        guard !scalar.string.utf8.contains(0) else {
            findings.add("nul", "U+0000 is not allowed in a string", at: place)
            return nil
        }
        return Self.replacing(marker, with: "*", in: scalar.string)
    }

    private mutating func scalar(_ scalar: Node.Scalar, at place: SourcePlace) -> JSON? {
        guard let text = text(scalar, at: place) else { return nil }
        let tag = scalar.tag.rawValue
        if scalar.style != .plain || tag == Tag.Name.str.rawValue || tag == Tag.Name.nonSpecific.rawValue {
            guard isUntagged(scalar.tag, .str, at: place) else { return nil }
            return .string(text)
        }
        guard isUntagged(scalar.tag, .implicit, at: place) else { return nil }
        switch CoreSchema.resolve(text) {
        case .value(let value): return value
        case .unrepresentable:
            findings.add("number", "\(text) is not a number that JSON can hold", at: place)
            return nil
        }
    }

    private mutating func report(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = SourcePlace(path: .root, line: mark.line, column: mark.column, order: 0)
            let detail = context.map { "\($0.text): " } ?? ""
            findings.add("syntax", "not valid YAML or JSON: \(detail)\(problem)", at: place)
        case .reader(let problem, _, _, _):
            findings.add("syntax", "the template cannot be read: \(problem)", at: Self.start)
        case .duplicatedKeysInMapping(let keys, let context):
            let place = SourcePlace(path: .root, line: context.mark.line, column: context.mark.column, order: 0)
            let names = keys.sorted().map { "\"\(Self.replacing(marker, with: "*", in: $0))\"" }
            findings.add(
                "duplicate_key", "given more than once in the same object: \(names.joined(separator: ", "))", at: place)
        default:
            findings.add("syntax", "the template cannot be read: it is nested too deep or too large", at: Self.start)
        }
    }
}
