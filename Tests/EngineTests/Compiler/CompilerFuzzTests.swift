import Domain
import Foundation
import Testing

@testable import Engine

/// Seeded, so that a failure can be repeated: the compiler answers every input with a template or with diagnostics
/// that name a place.
@Suite struct CompilerFuzzTests {
    @Test(arguments: [TemplateText.valid, StarterTemplate.json])
    func `mutated templates never crash the compiler`(text: String) throws {
        var random = SystemlessGenerator(state: 42)
        for _ in 0..<200 { try Self.round(Array(text.utf8), &random) }
    }

    private static let seconds = ProcessInfo.processInfo.environment["AIBACKEND_FUZZ_SECONDS"].flatMap { Int($0) }

    /// For as long as `AIBACKEND_FUZZ_SECONDS` says: what compiles is mutated further, so that faults pile up on what
    /// is valid still.
    @Test(.enabled(if: seconds != nil, "AIBACKEND_FUZZ_SECONDS is not set"))
    func `mutated templates never crash the compiler, for as long as asked`() throws {
        let seed = UInt64(Date.now.timeIntervalSince1970)
        var random = SystemlessGenerator(state: seed)
        var corpus = [TemplateText.valid, StarterTemplate.json].map { Array($0.utf8) }
        let end = Date.now + Double(Self.seconds ?? 0)
        var rounds = 0
        while Date.now < end {
            let place = Int.random(in: 0..<corpus.count, using: &random)
            if let compiled = try Self.round(corpus[place], &random, "seed \(seed), round \(rounds)") {
                if corpus.count < 500 { corpus.append(compiled) } else if place > 1 { corpus[place] = compiled }
            }
            rounds += 1
        }
        print("compiler fuzzed: \(rounds) rounds from seed \(seed), \(corpus.count) templates in the corpus")
    }

    /// Mutates and compiles once; the text where it is a template still.
    @discardableResult
    private static func round(
        _ original: [UInt8], _ random: inout SystemlessGenerator, _ comment: Comment = ""
    ) throws -> [UInt8]? {
        let dispatch = ServedRoutes.usual
        var bytes = original
        for _ in 0...Int.random(in: 0..<4, using: &random) { mutate(&bytes, &random) }
        do {
            let template = try TemplateCompiler(dispatch: dispatch).compile(bytes, file: nil)
            #expect(try ExecutionPlan(template.plan.json) == template.plan, comment)
            #expect(try TemplateCompiler(dispatch: dispatch).compile(template.source).plan == template.plan, comment)
            _ = try? ConfigurationValidator.validate([:], against: template.inputs)
            return bytes
        } catch let diagnostics as Diagnostics {
            #expect(!diagnostics.all.isEmpty, comment)
            #expect(diagnostics.all.allSatisfy { ($0.line ?? 0) >= 1 && ($0.column ?? 0) >= 1 }, comment)
            return nil
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
