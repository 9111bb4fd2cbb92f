import Domain
import Engine
import Synchronization

/// Time that passes only when someone sleeps: a sleep moves it forward and returns at once.
final class TestClock: Sendable, WallClock {
    private let elapsed = Mutex<Duration>(.zero)
    private let slept = Mutex<[Duration]>([])
    private let hook = Mutex<@Sendable () -> Void>({})
    /// Sleeps of exactly this long never end; for the engine's own loops.
    private let endless: Duration?

    init(endless: Duration? = nil) { self.endless = endless }

    func now() -> Timestamp {
        Timestamp(microseconds: 1_800_000_000_000_000).advanced(by: elapsed.withLock { $0 })
    }

    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

    /// Whether a sleep only gathers log lines.
    private static func gathers(_ duration: Duration) -> Bool { duration == .milliseconds(75) }

    /// Does something at every sleep that is more than gathering log lines.
    func whenSleeping(_ action: @escaping @Sendable () -> Void) { hook.withLock { $0 = action } }

    /// The sleeps so far, without the short ones that gather log lines.
    var sleeps: [Duration] { slept.withLock { $0 }.filter { !Self.gathers($0) } }

    var engineClock: EngineClock {
        EngineClock(wall: self, instant: { self.elapsed.withLock { $0 } }) { duration in
            if duration == self.endless {
                let (never, keep) = AsyncStream.makeStream(of: Void.self)
                for await _ in never {}
                withExtendedLifetime(keep) {}
                throw CancellationError()
            }
            try Task.checkCancellation()
            self.slept.withLock { $0.append(duration) }
            self.advance(by: duration)
            if !Self.gathers(duration) { self.hook.withLock { $0 }() }
            await Task.yield()
        }
    }
}
