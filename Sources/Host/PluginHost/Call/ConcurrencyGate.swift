import Domain
import Synchronization

/// At most so many calls of a plugin in flight, and a bounded line of those that wait, first come first served.
final class ConcurrencyGate: Sendable {
    private struct State {
        var inFlight = 0
        var waiting: [UInt64: CheckedContinuation<ProviderError?, Never>] = [:]
        /// Tickets in the order of arrival; those that left the line are skipped.
        var line: [UInt64] = []
        var nextTicket: UInt64 = 1
        var isClosed = false
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
    func enter(within time: Duration) async throws(ProviderError) {
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
                    state.waiting[ticket] = continuation
                    state.line.append(ticket)
                    return nil
                }
                if let answer { return continuation.resume(returning: answer) }
                // After it stands in the line: a timer that fires before that finds nobody to reject.
                timer = timers.schedule(after: time) {
                    self.reject(
                        ticket,
                        ProviderError(
                            .timeout, "none of \(self.plugin)'s calls ended in time for this one", isRetryable: true))
                }
            }
        } onCancel: {
            self.reject(ticket, ProviderError(.cancelled, "the call was cancelled"))
        }
        if let timer { timers.cancel(timer) }
        if let error { throw error }
    }

    /// Gives a place back, to the next in line where there is one.
    func leave() {
        let next: CheckedContinuation<ProviderError?, Never>? = state.withLock { state in
            while !state.line.isEmpty {
                if let next = state.waiting.removeValue(forKey: state.line.removeFirst()) { return next }
            }
            state.inFlight -= 1
            return nil
        }
        next?.resume(returning: nil)
    }

    /// Refuses everyone, now and later.
    func close() {
        let waiting = state.withLock { state in
            defer {
                state.waiting = [:]
                state.line = []
            }
            state.isClosed = true
            return Array(state.waiting.values)
        }
        for continuation in waiting {
            continuation.resume(
                returning: ProviderError(.cancelled, "the plugin \(plugin) is shutting down", isRetryable: true))
        }
    }

    private func reject(_ ticket: UInt64, _ error: ProviderError) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: ticket)
            if continuation != nil { state.line.removeAll { $0 == ticket } }
            return continuation
        }
        continuation?.resume(returning: error)
    }
}
