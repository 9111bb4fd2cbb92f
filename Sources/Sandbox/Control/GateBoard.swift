import Domain
import Synchronization

/// Holds every matching call until it is deleted: two calls behind one gate overlap for certain, and a call behind
/// one is in the middle for as long as a test needs it there.
struct Gate: Sendable {
    let provider: Provider
    let match: String?
    /// How much of a stream goes out before the call is held; 0 holds it before its first byte.
    let afterEvents: Int
    let hold = Hold()

    /// Reads the body of `POST /gates`.
    init(_ json: JSON) throws(ControlRefusal) {
        let reader = try ControlReader(json, allowed: ["provider", "match", "after_events"])
        provider = try reader.provider()
        match = try reader.text("match")
        afterEvents = try reader.count("after_events", in: 0...1_000_000) ?? 0
    }

    func json(id: Int) -> JSON {
        var object = JSONObject()
        object["id"] = .integer(Int64(id))
        object["provider"] = .string(provider.rawValue)
        object["match"] = match.map(JSON.string)
        object["after_events"] = .integer(Int64(afterEvents))
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

    /// The oldest gate in a call's way.
    func gate(for provider: Provider, prompt: String) -> Gate? {
        state.withLock { state in
            state.gates.sorted { $0.key < $1.key }.map(\.value).first {
                $0.provider == provider && ($0.match.map { prompt.contains($0) } ?? true)
            }
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
