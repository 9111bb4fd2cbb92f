import Domain
import Synchronization

/// Holds every matching call until it is deleted: two calls behind one gate overlap for certain, and a call behind
/// one is in the middle for as long as a test needs it there.
struct Gate: Sendable {
    /// Where in a call's way it stands.
    enum Place: Sendable, Hashable {
        /// Once so much of a stream is out; 0 is before the call is carried out.
        case after(events: Int)
        /// Once the call is carried out, before its client can know it: before the first byte of Railway's answer,
        /// and before the last event of a model's.
        case done
    }

    /// nil stands for all of them.
    let provider: Provider?
    let match: String?
    let place: Place
    /// Matching calls that still pass before the first one is held.
    fileprivate(set) var passing: Int
    let hold = Hold()

    /// Reads the body of `POST /gates`.
    init(_ json: JSON) throws(ControlRefusal) {
        let reader = try ControlReader(json, allowed: ["provider", "match", "after_events", "when_done", "passing"])
        provider = try reader.text("provider") == "any" ? nil : try reader.provider()
        match = try reader.text("match")
        let events = try reader.count("after_events", in: 0...1_000_000)
        let isLate = try reader.flag("when_done") ?? false
        if isLate, events != nil { throw ControlRefusal("after_events and when_done exclude each other") }
        place = isLate ? .done : .after(events: events ?? 0)
        passing = try reader.count("passing", in: 0...1_000_000) ?? 0
    }

    fileprivate func isInTheWay(of provider: Provider, prompt: String) -> Bool {
        (self.provider.map { $0 == provider } ?? true) && (match.map { prompt.contains($0) } ?? true)
    }

    func json(id: Int) -> JSON {
        var object = JSONObject()
        object["id"] = .integer(Int64(id))
        object["provider"] = .string(provider?.rawValue ?? "any")
        object["match"] = match.map(JSON.string)
        switch place {
        case .after(let events): object["after_events"] = .integer(Int64(events))
        case .done: object["when_done"] = true
        }
        object["passing"] = .integer(Int64(passing))
        object["held"] = .array(hold.waiting.map { .integer(Int64($0)) })
        return .object(object)
    }
}

/// The gates that are closed now.
final class GateBoard: Sendable {
    /// Gates that may stand at once.
    static let capacity = 1_000

    private let state = Mutex<(lastID: Int, gates: [Int: Gate])>((0, [:]))

    /// - Returns: the gate's id.
    func add(_ gate: Gate) throws(ControlRefusal) -> Int {
        let id = state.withLock { state -> Int? in
            guard state.gates.count < Self.capacity else { return nil }
            state.lastID += 1
            state.gates[state.lastID] = gate
            return state.lastID
        }
        guard let id else { throw ControlRefusal("\(Self.capacity) gates stand already; delete some") }
        return id
    }

    /// The oldest gate in a call's way. One that it may still pass counts it.
    func gate(for provider: Provider, prompt: String) -> Gate? {
        state.withLock { state in
            for (id, gate) in state.gates.sorted(by: { $0.key < $1.key })
            where gate.isInTheWay(of: provider, prompt: prompt) {
                guard gate.passing > 0 else { return gate }
                state.gates[id]?.passing -= 1
            }
            return nil
        }
    }

    func gate(_ id: Int) throws(ControlRefusal) -> Gate {
        guard let gate = state.withLock({ $0.gates[id] }) else {
            throw ControlRefusal("there is no gate \(id)", isUnknown: true)
        }
        return gate
    }

    /// Opens a gate: what it holds goes on.
    func remove(_ id: Int) throws(ControlRefusal) {
        guard let gate = state.withLock({ $0.gates.removeValue(forKey: id) }) else {
            throw ControlRefusal("there is no gate \(id)", isUnknown: true)
        }
        gate.hold.release()
    }

    func clear() {
        let gates = state.withLock { state in
            defer { state.gates = [:] }
            return Array(state.gates.values)
        }
        for gate in gates { gate.hold.release() }
    }

    var json: JSON {
        let gates = state.withLock { $0.gates }
        return ["gates": .array(gates.sorted { $0.key < $1.key }.map { $0.value.json(id: $0.key) })]
    }
}
