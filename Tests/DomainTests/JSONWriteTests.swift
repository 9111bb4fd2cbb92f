import Domain
import Testing

@Suite struct JSONWriteTests {
    private static let texts: [(JSON, String)] = [
        (JSON.null, "null"), (true, "true"), (-3, "-3"), (.decimal("8.50"), "8.50"),
        ("a\"\\/\n\r\t", #""a\"\\/\n\r\t""#),
        ("\u{1}\u{1F}\u{7F}é😀", "\"\\u0001\\u001f\u{7F}é😀\""), ([], "[]"), ([1, "a"], #"[1,"a"]"#), ([:], "{}"),
        (["b": 1, "a": [.null]], #"{"b":1,"a":[null]}"#),
    ]

    @Test(arguments: texts)
    func text(value: JSON, text: String) {
        #expect(value.text == text)
    }

    @Test func `any value reads back as it was written`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let value = Self.value(depth: 0, &random)
            #expect(try JSON.parse(value.bytes) == value)
        }
    }

    private static func value(depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth < 4 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: Int64.min...Int64.max, using: &random))
        case 3:
            let fraction = Int.random(in: 0..<1_000_000, using: &random)
            return .decimal("\(Int.random(in: -99...99, using: &random)).\(fraction)")
        case 4: return .string(string(&random))
        case 5, 6:
            let count = Int.random(in: 0..<4, using: &random)
            return .array((0..<count).map { _ in value(depth: depth + 1, &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                object[string(&random)] = value(depth: depth + 1, &random)
            }
            return .object(object)
        }
    }

    private static func string(_ random: inout SeededGenerator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
            let ranges: [ClosedRange<UInt32>] = [1...0x1F, 0x20...0x7F, 0x80...0xD7FF, 0xE000...0x10FFFF]
            if let scalar = Unicode.Scalar(UInt32.random(in: ranges.randomElement(using: &random)!, using: &random)) {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
