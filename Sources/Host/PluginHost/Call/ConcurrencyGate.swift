import Domain
import Synchronization

/// At most so many calls of a plugin in flight, and a bounded line of those that wait. Tenants take turns, so that one's
/// many calls do not stand before another's few; among one tenant's, first come first served.
final class ConcurrencyGate: Sendable {
    private struct State {
        var inFlight = 0
        var waiting: [UInt64: CheckedContinuation<ProviderError?, Never>] = [:]
        /// Tickets of each tenant that waits, in the order of arrival.
        var lines: [String: ArraySlice<UInt64>] = [:]
        /// Tenants that have a line, the next in turn first.
        var turns: ArraySlice<String> = []
        var nextTicket: UInt64 = 1
        var isClosed = false

        mutating func stand(
            _ ticket: UInt64, of tenant: String, _ continuation: CheckedContinuation<ProviderError?, Never>
        ) {
            waiting[ticket] = continuation
            if lines[tenant] == nil { turns.append(tenant) }
            lines[tenant, default: []].append(ticket)
        }

        mutating func next() -> CheckedContinuation<ProviderError?, Never>? {
            guard let tenant = turns.popFirst(), let ticket = lines[tenant]?.popFirst() else { return nil }
            if lines[tenant]?.isEmpty == true { lines[tenant] = nil } else { turns.append(tenant) }
            return waiting.removeValue(forKey: ticket)
        }

        mutating func leave(_ ticket: UInt64, of tenant: String) -> CheckedContinuation<ProviderError?, Never>? {
            guard let continuation = waiting.removeValue(forKey: ticket) else { return nil }
            lines[tenant]?.removeAll { $0 == ticket }
            if lines[tenant]?.isEmpty == true {
                lines[tenant] = nil
                turns.removeAll { $0 == tenant }
            }
            return continuation
        }
    }

    private let plugin: String
    private let limit: Int
    private let maximumWaiting: Int
    private let timers: TimerThread
    private let state = Mutex(State())

    init(plugin: String, limit: Int, maximumWaiting: Int, timers: TimerThread) {
        self.plugin = plugin
        self.limit = limit
        self.maximumWaiting = maximumWaiting
        self.timers = timers
    }

    var inFlight: Int { state.withLock { $0.inFlight } }
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Takes a place, waiting for one at most so long. Who got it gives it back with `leave`.
    func enter(for tenant: String, within time: Duration) async throws(ProviderError) {
        let ticket = state.withLock { state in
            defer { state.nextTicket += 1 }
            return state.nextTicket
        }
        var timer: TimerThread.ID?
        let error = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: ProviderError?? = state.withLock { state in
                    if state.isClosed {
                        return ProviderError(.cancelled, "the plugin \(plugin) is shutting down", isRetryable: true)
                    }
                    // The handler below has run already, and found nobody in the line.
                    if Task.isCancelled { return ProviderError(.cancelled, "the call was cancelled") }
                    if state.inFlight < limit {
                        state.inFlight += 1
                        return .some(nil)
                    }
                    guard state.waiting.count < maximumWaiting else {
                        return ProviderError(
                            .limit,
                            "\(plugin) has \(limit) calls in flight and \(maximumWaiting) waiting, as many as it may",
                            isRetryable: true)
                    }
                    state.stand(ticket, of: tenant, continuation)
                    return nil
                }
                if let answer { return continuation.resume(returning: answer) }
                // After it stands in the line: a timer that fires before that finds nobody to reject.
                timer = timers.schedule(after: time) {
                    self.reject(
                        ticket, of: tenant,
                        ProviderError(
                            .timeout, "none of \(self.plugin)'s calls ended in time for this one", isRetryable: true))
                }
            }
        } onCancel: {
            self.reject(ticket, of: tenant, ProviderError(.cancelled, "the call was cancelled"))
        }
        if let timer { timers.cancel(timer) }
        if let error { throw error }
    }

    /// Gives a place back, to the next in line where there is one.
    func leave() {
        let next: CheckedContinuation<ProviderError?, Never>? = state.withLock { state in
            let next = state.next()
            if next == nil { state.inFlight -= 1 }
            return next
        }
        next?.resume(returning: nil)
    }

    /// Refuses everyone, now and later.
    func close() {
        let waiting = state.withLock { state in
            defer {
                state.waiting = [:]
                state.lines = [:]
                state.turns = []
            }
            state.isClosed = true
            return Array(state.waiting.values)
        }
        for continuation in waiting {
            continuation.resume(
                returning: ProviderError(.cancelled, "the plugin \(plugin) is shutting down", isRetryable: true))
        }
    }

    private func reject(_ ticket: UInt64, of tenant: String, _ error: ProviderError) {
        let continuation = state.withLock { $0.leave(ticket, of: tenant) }
        continuation?.resume(returning: error)
    }
}
