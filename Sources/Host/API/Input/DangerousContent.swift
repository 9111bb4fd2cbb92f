import Domain

/// Refuses configuration strings that look like script to be injected into what is generated from them.
enum DangerousContent {
    static let words = ["<script", "javascript:", "eval(", "exec("]

    /// Every string in the configuration, at any depth, that holds one of the words in any case; names of members too.
    static func errors(in configuration: JSON, at pointer: String) -> [InputError] {
        var errors: [InputError] = []
        collect(configuration, pointer, into: &errors)
        return errors
    }

    private static func collect(_ value: JSON, _ pointer: String, into errors: inout [InputError]) {
        guard errors.count < Problem.maximumErrors else { return }
        switch value {
        case .string(let text): check(text, "text", pointer, into: &errors)
        case .array(let elements):
            for (index, element) in elements.enumerated() { collect(element, "\(pointer)/\(index)", into: &errors) }
        case .object(let object):
            for member in object.members {
                let place = ObjectReader.pointer(member.key.clipped, under: pointer)
                check(member.key, "member's name", place, into: &errors)
                collect(member.value, place, into: &errors)
            }
        case .null, .bool, .integer, .decimal: return
        }
    }

    private static func check(_ text: String, _ what: String, _ pointer: String, into errors: inout [InputError]) {
        guard let word = firstWord(in: text) else { return }
        errors.append(
            InputError(
                place: .pointer(pointer), code: ProblemCode.dangerousContent.rawValue,
                detail: "The \(what) contains \"\(word)\", which is not accepted in a configuration."))
    }

    private static let lowerCaseWords = words.map { (text: $0, bytes: Array($0.utf8)) }

    private static func firstWord(in text: String) -> String? {
        var text = text
        return text.withUTF8 { bytes in
            for start in bytes.indices {
                switch unsafe bytes[start] {
                case UInt8(ascii: "<"), UInt8(ascii: "j"), UInt8(ascii: "J"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                    let rest = unsafe bytes[start...]
                    let match = lowerCaseWords.first { word in
                        unsafe rest.count >= word.bytes.count
                            && zip(rest, word.bytes).allSatisfy { lowered($0) == $1 }
                    }
                    if let match { return match.text }
                default: continue
                }
            }
            return nil
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
