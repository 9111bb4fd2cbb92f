import Domain
import Synchronization

/// The faults that wait for their calls, in the order in which they were set.
final class FaultQueue: Sendable {
    /// Faults that may be set at once.
    static let capacity = 1_000

    private struct State {
        var lastID = 0
        var pending: [(id: Int, fault: Fault)] = []
        /// Stalls that met their calls and are not released yet.
        var stalling: [Int: Fault] = [:]
    }

    private let state: Mutex<State>

    init(_ script: FaultScript) {
        let pending = script.faults.enumerated().map { (id: $0 + 1, fault: $1) }
        state = Mutex(State(lastID: pending.count, pending: pending))
    }

    /// - Returns: the fault's id.
    func add(_ fault: Fault) throws(ControlRefusal) -> Int {
        let id = state.withLock { state -> Int? in
            guard state.pending.count + state.stalling.count < Self.capacity else { return nil }
            state.lastID += 1
            state.pending.append((state.lastID, fault))
            return state.lastID
        }
        guard let id else {
            throw ControlRefusal("\(Self.capacity) faults are set already; DELETE /faults clears them")
        }
        return id
    }

    /// The first fault that is meant for this call; it counts as met.
    ///
    /// - Parameter prompt: what the call says, or the name of what it has begun.
    func take(_ provider: Provider, prompt: String, at moment: Fault.Moment = .call) -> Fault? {
        state.withLock { state in
            let index = state.pending.firstIndex { $0.fault.matches(provider, prompt: prompt, at: moment) }
            guard let index else { return nil }
            state.pending[index].fault.times -= 1
            let (id, fault) = state.pending[index]
            if fault.times == 0 { state.pending.remove(at: index) }
            if fault.hold != nil { state.stalling[id] = fault }
            return fault
        }
    }

    /// Removes a fault and lets go of what it stalls.
    func remove(_ id: Int) throws(ControlRefusal) {
        let removed = state.withLock { state -> [Fault] in
            let pending = state.pending.filter { $0.id == id }.map(\.fault)
            state.pending.removeAll { $0.id == id }
            return pending + [state.stalling.removeValue(forKey: id)].compactMap(\.self)
        }
        guard !removed.isEmpty else { throw ControlRefusal("there is no fault \(id)", isUnknown: true) }
        removed.forEach(Self.release)
    }

    func clear() {
        let removed = state.withLock { state in
            defer {
                state.pending = []
                state.stalling = [:]
            }
            return state.pending.map(\.fault) + state.stalling.values
        }
        removed.forEach(Self.release)
    }

    var json: JSON {
        let (pending, stalling) = state.withLock { ($0.pending, $0.stalling) }
        var listed = Dictionary(uniqueKeysWithValues: pending.map { ($0.id, $0.fault) })
        listed.merge(stalling) { waiting, _ in waiting }
        return ["faults": .array(listed.sorted { $0.key < $1.key }.map { $0.value.json(id: $0.key) })]
    }

    private static func release(_ fault: Fault) { fault.hold?.release() }
}
