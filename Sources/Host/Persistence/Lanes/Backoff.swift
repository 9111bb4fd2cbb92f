/// The pauses between attempts to connect: none, then doubling to a bound.
struct Backoff {
    private var next: Duration = .zero

    mutating func pause() -> Duration {
        defer { next = next == .zero ? .milliseconds(20) : min(next * 2, .seconds(1)) }
        return next
    }

    mutating func reset() { next = .zero }
}
