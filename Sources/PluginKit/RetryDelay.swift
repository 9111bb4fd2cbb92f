/// What an answer's headers say about trying again.
public enum RetryDelay {
    /// Nobody waits longer than a day on a provider's word.
    public static let maximumMilliseconds: Int64 = 86_400_000

    /// The pause the provider asks for, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as an
    /// HTTP date (RFC 9110, section 10.2.3); nil where neither is given or understood.
    ///
    /// - Parameters:
    ///   - now: Unix seconds, used where the answer carries no readable `date` of its own.
    ///   - header: the answer's headers by lower-case name.
    public static func milliseconds(now: Int64, header: (String) -> String?) -> Int64? {
        if let text = header("retry-after-ms"), let value = Double(text), let delay = bounded(value) { return delay }
        guard let text = header("retry-after") else { return nil }
        if let seconds = Double(text) { return bounded(seconds * 1_000) }
        guard let date = HTTPDate.unixSeconds(text) else { return nil }
        // The answer's own date, where it has one, keeps the two clocks' difference out of it.
        let sent = header("date").flatMap(HTTPDate.unixSeconds) ?? now
        return bounded(Double(date - sent) * 1_000)
    }

    private static func bounded(_ milliseconds: Double) -> Int64? {
        guard milliseconds.isFinite else { return nil }
        return Int64(min(max(milliseconds.rounded(.up), 0), Double(maximumMilliseconds)))
    }
}
