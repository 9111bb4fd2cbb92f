import Domain
import Synchronization

/// Every provider call that reached the sandbox: the other side of a host's own books.
///
/// It keeps the latest 10,000 calls and at most 64 MiB of prompts; the oldest leave first. Keys are never in it.
final class Ledger: Sendable {
    /// States: in flight → finished, cut by the client, or cut by the sandbox (a fault).
    enum Ending: String, Sendable {
        case finished
        case cutByClient = "cut_by_client"
        case cutBySandbox = "cut_by_sandbox"
    }

    struct Entry: Sendable {
        let sequence: Int
        let provider: Provider
        let path: String
        let callID: String?
        let receivedAt: Timestamp
        var model: String?
        var prompt = ""
        var overlap: [Int]
        var ending: Ending?
        var finishedAt: Timestamp?
        var status: Int?
        var usage: JSON?
        var stopReason: String?
        /// Whole events that went out; nil for an answer that is no stream.
        var events: Int?
    }

    static let capacity = 10_000
    static let promptCapacity = 64 << 20

    private struct State {
        var lastSequence = 0
        var oldest = 1
        var promptBytes = 0
        var entries: [Int: Entry] = [:]
        var inFlight: Set<Int> = []

        mutating func trim() {
            while entries.count > Ledger.capacity || promptBytes > Ledger.promptCapacity, oldest <= lastSequence {
                if let entry = entries.removeValue(forKey: oldest) { promptBytes -= entry.prompt.utf8.count }
                oldest += 1
            }
        }
    }

    private let wallClock: any WallClock
    private let state = Mutex(State())

    init(wallClock: any WallClock) { self.wallClock = wallClock }

    /// Records that a call has come.
    ///
    /// - Returns: its sequence number.
    func open(_ provider: Provider, path: String, callID: String?) -> Int {
        let now = wallClock.now()
        return state.withLock { state in
            state.lastSequence += 1
            let sequence = state.lastSequence
            for other in state.inFlight { state.entries[other]?.overlap.append(sequence) }
            state.entries[sequence] = Entry(
                sequence: sequence, provider: provider, path: path, callID: callID, receivedAt: now,
                overlap: state.inFlight.sorted())
            state.inFlight.insert(sequence)
            state.trim()
            return sequence
        }
    }

    /// Records what a call asks, once its body is read.
    func describe(_ sequence: Int, model: String, prompt: String) {
        state.withLock { state in
            guard state.entries[sequence] != nil else { return }
            state.entries[sequence]?.model = model
            state.entries[sequence]?.prompt = prompt
            state.promptBytes += prompt.utf8.count
            state.trim()
        }
    }

    /// Records how a call ended. A later word replaces an earlier one: an answer that was ready may still be cut.
    func close(
        _ sequence: Int, _ ending: Ending, status: Int?, usage: JSON? = nil, stopReason: String? = nil,
        events: Int? = nil
    ) {
        let now = wallClock.now()
        state.withLock { state in
            state.inFlight.remove(sequence)
            guard var entry = state.entries[sequence] else { return }
            entry.ending = ending
            entry.finishedAt = ending == .cutByClient ? nil : now
            entry.status = status
            entry.usage = usage
            entry.stopReason = stopReason
            entry.events = events
            state.entries[sequence] = entry
        }
    }

    /// Forgets everything; the sequence goes on.
    func clear() {
        state.withLock { state in
            state = State(lastSequence: state.lastSequence, oldest: state.lastSequence + 1)
        }
    }

    /// The calls in the order in which they came.
    var json: JSON {
        let (entries, total) = state.withLock { (Array($0.entries.values), $0.lastSequence) }
        return [
            "total": .integer(Int64(total)),
            "calls": .array(entries.sorted { $0.sequence < $1.sequence }.map(\.json)),
        ]
    }
}

extension Ledger.Entry {
    fileprivate var json: JSON {
        [
            "sequence": .integer(Int64(sequence)),
            "call_id": callID.map(JSON.string) ?? .null,
            "provider": .string(provider.rawValue),
            "path": .string(path),
            "model": model.map(JSON.string) ?? .null,
            "state": .string(ending?.rawValue ?? "in_flight"),
            "received_at": .string(receivedAt.description),
            "finished_at": finishedAt.map { .string($0.description) } ?? .null,
            "status": status.map { .integer(Int64($0)) } ?? .null,
            "stop_reason": stopReason.map(JSON.string) ?? .null,
            "usage": usage ?? .null,
            "events": events.map { .integer(Int64($0)) } ?? .null,
            "overlap": .array(overlap.map { .integer(Int64($0)) }),
            "prompt": .string(prompt),
        ]
    }
}
