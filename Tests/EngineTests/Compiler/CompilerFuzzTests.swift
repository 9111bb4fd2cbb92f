import Domain
import Testing

@testable import Engine

/// Seeded, so that a failure can be repeated: the compiler answers every input with a template or with diagnostics
/// that name a place.
@Suite struct CompilerFuzzTests {
    @Test(arguments: [TemplateText.valid, StarterTemplate.json])
    func `mutated templates never crash the compiler`(text: String) throws {
        let compiler = TemplateCompiler(dispatch: ServedRoutes.usual)
        let original = Array(text.utf8)
        var random = SystemlessGenerator(state: 42)
        for _ in 0..<200 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &random) { Self.mutate(&bytes, &random) }
            do {
                let template = try compiler.compile(bytes, file: nil)
                #expect(try ExecutionPlan(template.plan.json) == template.plan)
            } catch let diagnostics as Diagnostics {
                #expect(!diagnostics.all.isEmpty)
                #expect(diagnostics.all.allSatisfy { ($0.line ?? 0) >= 1 && ($0.column ?? 0) >= 1 })
            }
        }
    }

    private static let pieces = [
        "{{", "}}", "{{x}}", "*a", "&a ", "- ", "? ", ": ", "[", "]", "{", "}", "\"", "'", "|", ">", "\n", "\t", "#",
        "!!str ",
        "null", "1e9", "\u{E000}", "\u{2028}", "\\u0000", "\r\n", "---\n", "%YAML 1.2\n", "<<: ", "é",
    ].map { Array($0.utf8) }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SystemlessGenerator) {
        guard !bytes.isEmpty else { return }
        let position = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, position + Int.random(in: 0..<40, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(position..<end)
        case 2: bytes.insert(contentsOf: pieces.randomElement(using: &random)!, at: position)
        case 3: bytes.replaceSubrange(position..<end, with: pieces.randomElement(using: &random)!)
        case 4: bytes.insert(contentsOf: bytes[position..<end], at: Int.random(in: 0..<bytes.count, using: &random))
        default: bytes.swapAt(position, Int.random(in: 0..<bytes.count, using: &random))
        }
    }
}

/// SplitMix64.
struct SystemlessGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
