/// Reads the text of an `InputPattern`.
struct InputPatternParser {
    typealias Fault = InputPattern.Fault

    private let text: [Character]
    private var position = 0
    private var ignoresCase = false
    /// Counts beyond this are more states than there may be.
    private static let maximumCount = 99_999

    init(_ text: String) { self.text = Array(text) }

    mutating func pattern() throws(Fault) -> InputPatternNode {
        if text.starts(with: "(?i)") {
            ignoresCase = true
            position = 4
        }
        let node = try choice(depth: 0)
        guard position == text.count else { throw fault("has a ) that closes nothing") }
        return node
    }

    private func fault(_ reason: String) -> Fault { Fault(description: reason) }

    private func peek(_ offset: Int = 0) -> Character? {
        position + offset < text.count ? text[position + offset] : nil
    }

    private mutating func take(_ character: Character) -> Bool {
        guard peek() == character else { return false }
        position += 1
        return true
    }

    private mutating func choice(depth: Int) throws(Fault) -> InputPatternNode {
        guard depth <= InputPattern.maximumDepth else {
            throw fault("has more than \(InputPattern.maximumDepth) groups in each other")
        }
        var choices = [try sequence(depth: depth)]
        while take("|") { choices.append(try sequence(depth: depth)) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence(depth: Int) throws(Fault) -> InputPatternNode {
        var parts: [InputPatternNode] = []
        while let next = peek(), next != "|", next != ")" {
            let atom = try atom(depth: depth)
            parts.append(try repetition(of: atom))
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom(depth: Int) throws(Fault) -> InputPatternNode {
        let character = text[position]
        position += 1
        switch character {
        case "^": return .start
        case "$": return .end
        case ".": return .take(CharacterClass(members: [.inLine]))
        case "[": return .take(try characterClass())
        case "(": return try group(depth: depth)
        case "*", "+", "?", "{":
            throw fault("repeats nothing with \(character); write \\\(character) for the character")
        case "\\":
            if take("A") { return .start }
            if take("z") { return .end }
            return .take(set(try escape()))
        default: return .take(set(.character(character)))
        }
    }

    private func set(_ member: CharacterClass.Member) -> CharacterClass {
        CharacterClass(members: [member], ignoresCase: ignoresCase)
    }

    private mutating func group(depth: Int) throws(Fault) -> InputPatternNode {
        if take("?") {
            if !take(":") {
                guard take("<"), peek() != "=", peek() != "!" else {
                    let kind = peek().map { String($0) } ?? ""
                    throw fault(
                        "has a group (?\(kind), which is not supported: there is no looking around, and (?i) stands at "
                            + "the beginning only")
                }
                while let next = peek(), next.isLetter || next.isNumber || next == "_" { position += 1 }
                guard take(">") else { throw fault("has a group whose name does not end") }
            }
        }
        let inner = try choice(depth: depth + 1)
        guard take(")") else { throw fault("has a ( that is not closed") }
        return inner
    }

    private mutating func repetition(of atom: InputPatternNode) throws(Fault) -> InputPatternNode {
        let node: InputPatternNode
        if take("*") {
            node = .repeated(atom, minimum: 0, maximum: nil)
        } else if take("+") {
            node = .repeated(atom, minimum: 1, maximum: nil)
        } else if take("?") {
            node = .repeated(atom, minimum: 0, maximum: 1)
        } else if take("{") {
            node = try counted(atom)
        } else {
            return atom
        }
        // How much is taken first makes no difference to whether the whole matches.
        _ = take("?")
        if let next = peek(), "*+?{".contains(next) { throw fault("repeats a repetition with \(next)") }
        return node
    }

    private mutating func counted(_ atom: InputPatternNode) throws(Fault) -> InputPatternNode {
        let minimum = try number()
        var maximum: Int? = minimum
        if take(",") { maximum = peek() == "}" ? nil : try number() }
        guard take("}") else {
            throw fault("has a { that is not {n}, {n,} or {n,m}; write \\{ for the character")
        }
        if let maximum, maximum < minimum {
            throw fault("has a repetition {\(minimum),\(maximum)} that ends before it begins")
        }
        return .repeated(atom, minimum: minimum, maximum: maximum)
    }

    private mutating func number() throws(Fault) -> Int {
        var value = 0
        let start = position
        while let digit = peek()?.wholeNumberValue, peek()?.isASCII == true {
            value = min(value * 10 + digit, Self.maximumCount)
            position += 1
        }
        guard position > start else {
            throw fault("has a { that is not {n}, {n,} or {n,m}; write \\{ for the character")
        }
        return value
    }
}

extension InputPatternParser {
    private mutating func characterClass() throws(Fault) -> CharacterClass {
        var set = CharacterClass(ignoresCase: ignoresCase)
        set.isNegated = take("^")
        while true {
            guard let next = peek() else { throw fault("has a [ that is not closed") }
            if next == "]" {
                guard !set.members.isEmpty else { throw fault("has an empty class []") }
                position += 1
                return set
            }
            if next == "[" || next == "&" && peek(1) == "&" {
                throw fault(
                    "has a class in a class, which is not supported; write \\[ or \\& for the character")
            }
            let first = try classMember()
            guard peek() == "-", let end = peek(1), end != "]" else {
                set.members.append(first)
                continue
            }
            position += 1
            set.members.append(.range(try range(from: first, to: try classMember())))
        }
    }

    private mutating func classMember() throws(Fault) -> CharacterClass.Member {
        let character = text[position]
        position += 1
        return character == "\\" ? try escape() : .character(character)
    }

    private func range(
        from first: CharacterClass.Member, to last: CharacterClass.Member
    ) throws(Fault) -> ClosedRange<UInt32> {
        guard case .character(let first) = first, case .character(let last) = last,
            let low = first.onlyScalar, let high = last.onlyScalar, low <= high
        else { throw fault("has a range in a class that does not go from one character up to another") }
        return low.value...high.value
    }

    /// What a backslash and what follows it stand for.
    private mutating func escape() throws(Fault) -> CharacterClass.Member {
        guard let character = peek() else { throw fault("ends in a backslash") }
        position += 1
        switch character {
        case "d": return .digit
        case "w": return .word
        case "s": return .space
        case "D": return .set(CharacterClass(members: [.digit], isNegated: true))
        case "W": return .set(CharacterClass(members: [.word], isNegated: true))
        case "S": return .set(CharacterClass(members: [.space], isNegated: true))
        case "n": return .character("\n")
        case "r": return .character("\r")
        case "t": return .character("\t")
        case "f": return .character("\u{C}")
        case "x": return try scalar(digits: 2)
        case "u": return try scalar(digits: 4)
        case "p": return .category(try category())
        case "P": return .set(CharacterClass(members: [.category(try category())], isNegated: true))
        default:
            guard character.isASCII, !character.isLetter, !character.isNumber else {
                throw fault("has \\\(character), which is not supported")
            }
            return .character(character)
        }
    }

    /// `\x41`, `\u0041`, `\u{41}`.
    private mutating func scalar(digits: Int) throws(Fault) -> CharacterClass.Member {
        let isBraced = take("{")
        var code = ""
        while let next = peek(), next.isHexDigit, next.isASCII, code.count < (isBraced ? 6 : digits) {
            code.append(next)
            position += 1
        }
        let isWhole = isBraced ? take("}") : code.count == digits
        guard isWhole, let value = UInt32(code, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw fault("has the code of no character")
        }
        return .character(Character(scalar))
    }

    private mutating func category() throws(Fault) -> Set<Unicode.GeneralCategory> {
        guard take("{"), let end = text[position...].prefix(40).firstIndex(of: "}") else {
            throw fault("has \\p without the name of a category in braces")
        }
        let name = String(text[position..<end])
        position = end + 1
        guard let categories = CharacterClass.categories(name[...]) else {
            throw fault("has \\p{\(name)}; categories are those such as L, Lu, N, Nd and P")
        }
        return categories
    }
}

extension Character {
    fileprivate var onlyScalar: Unicode.Scalar? {
        unicodeScalars.count == 1 ? unicodeScalars.first : nil
    }
}
