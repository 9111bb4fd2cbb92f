import Domain
import Foundation

/// The instants at which hosts are killed, drawn from a seed that is printed: the same seed draws the same.
struct KillPlan {
    /// Counted from the host's start.
    enum Instant: CustomStringConvertible {
        /// When so many calls came to the providers, before the last of them is carried out.
        case arrival(Int)
        /// When the last of so many calls is carried out, and nobody but the provider knows: between an effect and its
        /// record.
        case effect(Int)
        /// When so many lines of the run's log are durable.
        case line(Int)

        var description: String {
            switch self {
            case .arrival(let number): "before call \(number)"
            case .effect(let number): "after call \(number), before its answer"
            case .line(let number): "at durable line \(number)"
            }
        }
    }

    let seed: UInt64
    let kills: Int
    private var generator: SplitMix64

    /// `AIBACKEND_SEED` draws others, `AIBACKEND_KILLS` more.
    static var fromEnvironment: KillPlan {
        let environment = ProcessInfo.processInfo.environment
        return KillPlan(
            seed: environment["AIBACKEND_SEED"].flatMap { UInt64($0) } ?? 20_260_104,
            kills: environment["AIBACKEND_KILLS"].flatMap { Int($0) } ?? 30)
    }

    init(seed: UInt64, kills: Int) {
        (self.seed, self.kills) = (seed, kills)
        generator = SplitMix64(state: seed)
    }

    /// The next instant. The kinds take turns, and about a third of a run lies between two of them.
    ///
    /// - Parameters:
    ///   - calls: different ones that a run makes when nothing happens to it. Looks that are repeated until something is
    ///     done count once: how often that is depends on the machine.
    ///   - lines: that it writes then.
    mutating func instant(_ number: Int, calls: Int, lines: Int) -> Instant {
        func drawn(_ count: Int) -> Int { Int.random(in: 1...max(2, count), using: &generator) }
        switch number % 3 {
        case 0: return .effect(drawn(calls))
        case 1: return .arrival(drawn(calls))
        default: return .line(drawn(lines * 2 / 3))
        }
    }
}

/// Sebastiano Vigna's generator: small, and the same everywhere.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
