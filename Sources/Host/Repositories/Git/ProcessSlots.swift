import Domain
import Synchronization

/// How many gits may run at once, and how many more may wait for that.
final class ProcessSlots: Sendable {
    private struct State {
        var free: Int
        var next = 0
        /// In the order of their coming; few.
        var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
        /// Cancelled before they began to wait.
        var abandoned: Set<Int> = []
    }

    /// The right to run one, given back with its last reference.
    final class Slot: Sendable {
        private let slots: ProcessSlots

        fileprivate init(_ slots: ProcessSlots) { self.slots = slots }

        deinit { slots.giveBack() }
    }

    private let maximumWaiting: Int
    private let state: Mutex<State>

    init(limit: Int, maximumWaiting: Int) {
        self.maximumWaiting = maximumWaiting
        state = Mutex(State(free: limit))
    }

    /// How many wait, for tests.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// - Throws: `SourceError` of code `unavailable` where too many wait already or the task is cancelled.
    func take() async throws(SourceError) -> Slot {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isGranted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.abandoned.remove(number) != nil { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    guard state.waiting.count < maximumWaiting else { return false }
                    state.waiting.append((number, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            abandon(number)
        }
        // A cancellation that came between the grant and here found nobody waiting.
        state.withLock { _ = $0.abandoned.remove(number) }
        guard isGranted else {
            throw SourceError(.unavailable, Task.isCancelled ? "the request was given up" : "too many wait for git")
        }
        return Slot(self)
    }

    private func giveBack() {
        let heir = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil as CheckedContinuation<Bool, Never>?
            }
            return state.waiting.removeFirst().continuation
        }
        heir?.resume(returning: true)
    }

    private func abandon(_ number: Int) {
        let continuation = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                state.abandoned.insert(number)
                return nil as CheckedContinuation<Bool, Never>?
            }
            return state.waiting.remove(at: index).continuation
        }
        continuation?.resume(returning: false)
    }
}
