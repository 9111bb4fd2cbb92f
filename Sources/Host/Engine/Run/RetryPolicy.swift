import Domain

/// When a failed attempt is followed by another.
struct RetryPolicy: Sendable, Hashable {
    /// Doubles with each attempt up to `maximumDelay`.
    var initialDelay: Duration = .milliseconds(500)
    var maximumDelay: Duration = .seconds(30)
    /// A provider that asks for more patience than this is treated as down.
    var maximumRetryAfter: Duration = .seconds(300)

    /// How long to wait before the next attempt, or nil where there is none.
    ///
    /// What the provider asks for (`retry-after`) is obeyed to the letter; otherwise the delay is exponential, with
    /// the lower half fixed and the upper half random, so that hosts that failed together do not return together.
    ///
    /// - Parameter jitter: a number in 0…1.
    func delay(after error: ProviderError, attempt: Int, of maximumAttempts: Int, jitter: Double) -> Duration? {
        guard error.isRetryable, attempt < maximumAttempts else { return nil }
        if let retryAfter = error.retryAfter { return retryAfter <= maximumRetryAfter ? retryAfter : nil }
        let doublings = min(attempt - 1, 20)
        let full = min(maximumDelay, initialDelay * Double(1 << doublings))
        return full * (0.5 + 0.5 * jitter)
    }
}
