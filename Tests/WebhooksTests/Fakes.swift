import Domain
import Logging
import Synchronization

@testable import Webhooks

/// A transport whose requests wait for the test to answer them.
final class HeldTransport: HTTPTransport {
    private let made = Mutex<[HeldTransfer]>([])
    var transfers: [HeldTransfer] { made.withLock { $0 } }
    /// Those that were neither answered nor cancelled.
    var open: [HeldTransfer] { transfers.filter(\.isOpen) }

    func prepare(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        let transfer = HeldTransfer(request, onEvent)
        made.withLock { $0.append(transfer) }
        return transfer
    }

    /// Waits for the request of this number to be under way.
    func transfer(_ index: Int) async -> HeldTransfer {
        while transfers.count <= index { await Task.yield() }
        return transfers[index]
    }
}

final class HeldTransfer: HTTPTransfer {
    let request: OutboundRequest
    private let onEvent: @Sendable (HTTPEvent) -> Void
    private let state = Mutex((isOpen: true, isCancelled: false))

    init(_ request: OutboundRequest, _ onEvent: @escaping @Sendable (HTTPEvent) -> Void) {
        self.request = request
        self.onEvent = onEvent
    }

    var isOpen: Bool { state.withLock { $0.isOpen } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func send(_ events: HTTPEvent...) {
        for event in events where isOpen {
            switch event {
            case .end, .failed: state.withLock { $0.isOpen = false }
            default: break
            }
            onEvent(event)
        }
    }

    func answer(_ status: Int) { send(.head(status: status, headers: [], version: "1.1"), .end) }

    func begin() {}
    func pause() {}
    func resume() {}
    func write(_ bytes: [UInt8]) -> Bool { true }
    func finishBody() {}
    func cancel() { state.withLock { $0 = (false, true) } }
}

/// An outbox in memory, which keeps the order of an execution's events unless it is told otherwise.
final class MemoryOutbox: WebhookOutbox {
    struct Settled: Sendable {
        let delivery: WebhookDelivery
        let outcome: WebhookOutcome
    }

    private struct State {
        var waiting: [WebhookDelivery] = []
        var taken: [WebhookDelivery] = []
        var settled: [Settled] = []
        var limits: [Int] = []
        var failures = 0
    }

    private let keepsOrder: Bool
    private let state: Mutex<State>

    init(_ deliveries: [WebhookDelivery] = [], keepsOrder: Bool = true, failures: Int = 0) {
        self.keepsOrder = keepsOrder
        state = Mutex(State(waiting: deliveries, failures: failures))
    }

    var settled: [Settled] { state.withLock { $0.settled } }
    /// How many were asked for each time.
    var limits: [Int] { state.withLock { $0.limits } }
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func settled(count: Int) async -> [Settled] {
        while settled.count < count { await Task.yield() }
        return settled
    }

    func takeDue(limit: Int, lease: Duration) async throws(LedgerError) -> [WebhookDelivery] {
        let due: [WebhookDelivery]? = state.withLock { state in
            state.limits.append(limit)
            guard state.failures == 0 else {
                state.failures -= 1
                return nil
            }
            var due: [WebhookDelivery] = []
            for delivery in state.waiting where due.count < limit {
                let isNext = !(state.taken + due).contains { $0.executionID == delivery.executionID }
                if isNext || !keepsOrder { due.append(delivery) }
            }
            state.waiting.removeAll(where: due.contains)
            state.taken += due
            return due
        }
        guard let due else { throw LedgerError(.unavailable, "the database is away") }
        return due
    }

    func settle(_ delivery: WebhookDelivery, _ outcome: WebhookOutcome) async throws(LedgerError) {
        state.withLock { state in
            state.taken.removeAll { $0 == delivery }
            state.settled.append(Settled(delivery: delivery, outcome: outcome))
        }
    }
}

struct FixedClock: WallClock {
    let time: Timestamp
    func now() -> Timestamp { time }
}

/// Sleeps that end when the test says so, or with their task.
final class HeldSleep: Sendable {
    private struct State {
        var sleepers: [Int: CheckedContinuation<Void, any Error>] = [:]
        var durations: [Duration] = []
        var next = 0
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    var durations: [Duration] { state.withLock { $0.durations } }

    func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.durations.append(duration)
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if !state.cancelled.contains(id) { state.sleepers[id] = continuation }
                    return state.cancelled.contains(id)
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.resume(throwing: CancellationError())
        }
    }

    /// Waits until somebody sleeps for so long, and wakes all.
    func wake(_ duration: Duration) async {
        while !tryWake(duration) { await Task.yield() }
    }

    /// Wakes whoever sleeps for so long, again and again, until somebody sleeps for another time.
    func wake(_ duration: Duration, until other: Duration) async {
        while durations.last != other {
            _ = tryWake(duration)
            await Task.yield()
        }
    }

    private func tryWake(_ duration: Duration) -> Bool {
        let sleepers = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard state.durations.last == duration else { return [] }
            defer { state.sleepers = [:] }
            return Array(state.sleepers.values)
        }
        for sleeper in sleepers { sleeper.resume() }
        return !sleepers.isEmpty
    }
}
