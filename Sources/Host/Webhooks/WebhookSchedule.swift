/// When a delivery that failed is tried again.
struct WebhookSchedule: Sendable, Hashable {
    /// The twelfth comes one to two and a half hours after the first: an endpoint may be down for a deployment of its own.
    static let maximumAttempts = 12
    private static let firstDelay = Duration.seconds(5)
    private static let maximumDelay = Duration.seconds(3_600)

    /// How long to wait after so many attempts; nil where there were enough. The lower half of a delay is fixed and the
    /// upper half random, so that what failed together does not return together.
    ///
    /// - Parameters:
    ///   - attempts: those that were made, from 1.
    ///   - jitter: a number in 0…1.
    static func delay(after attempts: Int, jitter: Double) -> Duration? {
        guard attempts < maximumAttempts else { return nil }
        let full = min(maximumDelay, firstDelay * (1 << max(0, attempts - 1)))
        return full * (0.5 + 0.5 * jitter)
    }
}
