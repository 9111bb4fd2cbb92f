public import Domain

/// Every way in which the engine meets time, so that tests own all of it.
public struct EngineClock: Sendable {
    /// The time of day, for what is recorded.
    public let wall: any WallClock
    /// Time since any fixed moment; it does not jump.
    public let instant: @Sendable () -> Duration
    /// Returns after the duration; throws `CancellationError` when its task is cancelled.
    public let sleep: @Sendable (Duration) async throws -> Void

    public init(
        wall: any WallClock, instant: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.wall = wall
        self.instant = instant
        self.sleep = sleep
    }

    /// The machine's clocks.
    public static var system: EngineClock {
        let origin = ContinuousClock.now
        return EngineClock(
            wall: SystemWallClock(), instant: { ContinuousClock.now - origin },
            sleep: { try await Task.sleep(for: $0) })
    }
}
