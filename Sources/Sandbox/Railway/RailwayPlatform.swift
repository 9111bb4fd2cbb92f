import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// What the simulated platform allows.
public struct RailwayLimits: Sendable, Hashable {
    /// GraphQL operations and uploads together, by the hour of the clock.
    public var requestsPerHour: Int
    /// Bytes of an uploaded archive.
    public var uploadBytes: Int

    /// Generous by default, so that a limit is met on purpose only.
    public init(requestsPerHour: Int = 1_000_000, uploadBytes: Int = 64 << 20) {
        self.requestsPerHour = max(1, requestsPerHour)
        self.uploadBytes = max(1, uploadBytes)
    }
}

/// The platform behind the simulator: its state, and the applications and databases that stand for it.
final class RailwayPlatform: Service {
    /// Where applications and databases are reached.
    static let host = "127.0.0.1"
    /// The workspace of each token.
    static let workspace = (id: "00000000-0000-4000-8000-000000000001", name: "Sandbox")
    /// Things of one kind that may exist at once.
    static let capacity = 2_000

    let applications: (any ApplicationHost)?
    let faults: FaultQueue
    let wallClock: any WallClock
    let pace: Pace
    let work: BackgroundWork
    let logger: Logger
    private let state = Mutex(RailwayState())
    /// The proxies that listen, by id.
    let listeners = Mutex<[String: DatabaseProxy]>([:])
    let nextWaiter = Atomic<Int>(0)

    init(
        applications: (any ApplicationHost)?, faults: FaultQueue, wallClock: any WallClock, pace: Pace, logger: Logger
    ) {
        self.applications = applications
        self.faults = faults
        self.wallClock = wallClock
        self.pace = pace
        self.logger = logger
        work = BackgroundWork()
    }

    /// The state as it is now.
    var now: RailwayState { state.withLock { $0 } }

    /// One change that nobody sees half of.
    func change<Value>(
        _ body: (inout sending RailwayState) throws(GraphQLError) -> sending Value
    ) throws(GraphQLError) -> Value {
        try state.withLock { state throws(GraphQLError) in try body(&state) }
    }

    /// One change that cannot be refused.
    func updateState(_ body: (inout RailwayState) -> Void) { state.withLock { body(&$0) } }

    func makeID() -> String { UUIDv7(at: wallClock.now()).description }

    /// A number that no other waiter at a hold has.
    func makeWaiter() -> Int { nextWaiter.add(1, ordering: .relaxed).newValue }

    /// Does what goes on behind the requests, until a graceful shutdown or a cancellation; then stops what runs.
    func run() async {
        await work.run()
        // Not cancelled with this task: applications are to be gone when it returns.
        await Task { await self.stopEverything() }.value
    }

    /// Nothing knows of what runs when the state ends.
    private func stopEverything() async {
        let everything = now
        // Jobs that had not begun never will.
        for deployment in everything.deployments { deployment.settled.release() }
        await tearDown(everything.instances, in: everything)
    }
}

extension RailwayState {
    /// - Throws: where there are too many things of a kind already.
    static func checkRoom(_ count: Int) throws(GraphQLError) {
        guard count < RailwayPlatform.capacity else {
            throw .refused("You have reached the limit of \(RailwayPlatform.capacity) resources")
        }
    }
}
