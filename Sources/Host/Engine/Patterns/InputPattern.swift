/// A pattern that a client's text must match as a whole: the part of regular expressions that can be matched in one
/// pass over the text, whatever the pattern and the text are.
///
/// A backtracking matcher, as Swift's `Regex` is, takes exponential time for patterns such as `(a+)+`, and whoever
/// sends a text would choose how long this process is busy with it. So there are no back-references and no looking
/// around here, and the pattern becomes an automaton all of whose states are followed at once: the work is at most the
/// number of its states times that of the text's characters, and is counted.
struct InputPattern: Sendable {
    /// Of the automaton; each repetition of a counted part is a state of its own.
    static let maximumStates = 10_000
    /// Levels of groups in groups.
    static let maximumDepth = 50
    /// States that are looked at for one configuration: some tenths of a second.
    static let maximumSteps = 10_000_000

    /// Why a text is no pattern; continues a sentence that begins with the pattern.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    enum Instruction: Sendable {
        /// Takes a character of the set.
        case take(CharacterClass)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case match
    }

    private let program: [Instruction]

    /// The states of the automaton.
    var states: Int { program.count }

    init(_ text: String) throws(Fault) {
        var parser = InputPatternParser(text)
        let tree = try parser.pattern()
        guard tree.states < Self.maximumStates else {
            throw Fault(description: "repeats too much: it has more than \(Self.maximumStates) states")
        }
        var program: [Instruction] = []
        program.reserveCapacity(tree.states + 1)
        tree.compile(into: &program)
        program.append(.match)
        self.program = program
    }

    /// Whether the whole text matches; nil where the steps did not suffice to tell.
    ///
    /// - Parameter steps: those that may still be taken, and afterwards those that are left.
    func matches(_ text: String, steps: inout Int) -> Bool? {
        let text = Array(text)
        var current = StateSet(program.count)
        var next = StateSet(program.count)
        follow(0, at: 0, of: text.count, into: &current, &steps)
        for (index, character) in text.enumerated() {
            guard !current.states.isEmpty else { return false }
            next.removeAll()
            for state in current.states {
                steps -= 1
                guard steps > 0 else { return nil }
                if case .take(let set) = program[state], set.contains(character) {
                    follow(state + 1, at: index + 1, of: text.count, into: &next, &steps)
                }
            }
            swap(&current, &next)
        }
        return steps > 0
            ? current.states.contains { if case .match = program[$0] { true } else { false } } : nil
    }

    /// Adds a state and those that are reached from it without taking a character.
    private func follow(
        _ state: Int, at position: Int, of end: Int, into set: inout StateSet, _ steps: inout Int
    ) {
        var pending = [state]
        while let state = pending.popLast() {
            guard set.mark(state) else { continue }
            steps -= 1
            switch program[state] {
            case .take, .match: set.states.append(state)
            case .split(let first, let second): pending.append(second); pending.append(first)
            case .jump(let target): pending.append(target)
            case .start: if position == 0 { pending.append(state + 1) }
            case .end: if position == end { pending.append(state + 1) }
            }
        }
    }

    /// The states that are followed at one character, each once.
    private struct StateSet {
        var states: [Int] = []
        private var marks: [Int]
        private var round = 1

        init(_ count: Int) { marks = [Int](repeating: 0, count: count) }

        /// Whether the state is new.
        mutating func mark(_ state: Int) -> Bool {
            guard marks[state] != round else { return false }
            marks[state] = round
            return true
        }

        mutating func removeAll() {
            states.removeAll(keepingCapacity: true)
            round += 1
        }
    }
}

/// What a pattern is made of.
indirect enum InputPatternNode: Sendable {
    case empty
    case take(CharacterClass)
    case start
    case end
    case sequence([InputPatternNode])
    case choice([InputPatternNode])
    /// - maximum: nil for any number.
    case repeated(InputPatternNode, minimum: Int, maximum: Int?)

    /// How many states it becomes; never more than twice the limit, so that nothing overflows.
    var states: Int {
        let count: Int
        switch self {
        case .empty: count = 0
        case .take, .start, .end: count = 1
        case .sequence(let parts): count = parts.reduce(0) { min(Self.cap, $0 + $1.states) }
        case .choice(let parts): count = parts.reduce(0) { min(Self.cap, $0 + $1.states + 2) }
        case .repeated(let part, let minimum, let maximum):
            let states = part.states
            count = minimum * states + (maximum.map { ($0 - minimum) * (states + 1) } ?? states + 2)
        }
        return min(count, Self.cap)
    }

    private static let cap = 2 * InputPattern.maximumStates

    func compile(into program: inout [InputPattern.Instruction]) {
        switch self {
        case .empty: break
        case .take(let set): program.append(.take(set))
        case .start: program.append(.start)
        case .end: program.append(.end)
        case .sequence(let parts): for part in parts { part.compile(into: &program) }
        case .choice(let parts): Self.compile(parts, into: &program)
        case .repeated(let part, let minimum, let maximum):
            // Repeated however often, nothing is nothing.
            guard part.states > 0 else { return }
            for _ in 0..<minimum { part.compile(into: &program) }
            guard let maximum else {
                let loop = program.count
                program.append(.jump(0))
                part.compile(into: &program)
                program.append(.jump(loop))
                program[loop] = .split(loop + 1, program.count)
                return
            }
            var exits: [Int] = []
            for _ in minimum..<max(minimum, maximum) {
                exits.append(program.count)
                program.append(.jump(0))
                part.compile(into: &program)
            }
            for exit in exits { program[exit] = .split(exit + 1, program.count) }
        }
    }

    private static func compile(
        _ choices: [InputPatternNode], into program: inout [InputPattern.Instruction]
    ) {
        var ends: [Int] = []
        for (index, choice) in choices.enumerated() {
            guard index < choices.count - 1 else {
                choice.compile(into: &program)
                break
            }
            let fork = program.count
            program.append(.jump(0))
            choice.compile(into: &program)
            ends.append(program.count)
            program.append(.jump(0))
            program[fork] = .split(fork + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }
}
