public import Domain
public import Logging
import Metrics
public import ServiceLifecycle
import Synchronization

/// Runs executions: claims them for this host, keeps the host's lease, and starts a run for each.
///
/// Any number of engines share one ledger. An engine that dies leaves its executions to the others, which take over
/// when its lease expires.
public final class Engine: Sendable {
    public struct Configuration: Sendable {
        /// How long this host owns what it claimed without renewing.
        public var lease: Duration = .seconds(15)
        /// How often it looks for work that nobody told it of: other hosts' admissions and expired leases.
        public var pollInterval: Duration = .seconds(1)
        /// Executions in flight at once.
        public var maximumExecutions = 256
        /// How long steps in flight may go on when the host shuts down.
        public var drain: Duration = .seconds(10)

        public init() {}
    }

    let configuration: Configuration
    let services: EngineServices
    let catalog: any TemplateCatalog
    let compiler: TemplateCompiler
    let compiled = CompiledTemplates()
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let worker: Mutex<Worker>
    /// By fence: an execution that was lost and claimed again may run twice for a moment, the first run unknowing.
    private let runs = Mutex<[Fence: @Sendable (StepEvent) -> Void]>([:])
    private let isShuttingDown = Atomic(false)

    /// An identity under which executions are owned. A host whose lease was lost takes a new one, so that what it
    /// owned under the old one is free for everybody, itself included.
    private struct Worker: Sendable {
        let id: UUIDv7
        let lease: WorkerLease
    }

    public init(
        configuration: Configuration = Configuration(), dispatch: any Dispatch, ledger: any ExecutionLedger,
        catalog: any TemplateCatalog, pricing: any Pricing, deployment: DeploymentPorts? = nil,
        signals: ExecutionSignals = ExecutionSignals(), workerID: UUIDv7, clock: EngineClock = .system,
        logger: Logger
    ) {
        self.configuration = configuration
        self.catalog = catalog
        compiler = TemplateCompiler(dispatch: dispatch)
        services = EngineServices(
            dispatch: dispatch, ledger: ledger, pricing: pricing, deployment: deployment, signals: signals,
            clock: clock, retry: RetryPolicy(), logger: logger, jitter: { .random(in: 0...1) })
        // Signals only say "look again": one that waits stands for all.
        (self.signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        worker = Mutex(
            Worker(id: workerID, lease: WorkerLease(duration: configuration.lease, now: clock.instant)))
    }

    /// Tells the engine that there is work now.
    func nudge() { signal.yield() }

    /// Executions in flight on this host.
    public var executionsInFlight: Int { runs.withLock { $0.count } }
}

extension Engine: Service {
    /// Runs until graceful shutdown: then starts nothing new, lets steps in flight finish for a while, and gives
    /// back what it owns.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                await renew()
                group.addTask { await self.keepLease() }
                group.addTask { await self.keepLooking() }
                for await _ in signals {
                    if isShuttingDown.load(ordering: .acquiring) { break }
                    await claim(in: &group)
                }
                await drain(in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.isShuttingDown.store(true, ordering: .releasing)
            self.signal.yield()
        }
        do { try await services.ledger.release(worker: worker.withLock { $0.id }) } catch {
            services.logger.warning(
                "what this host owns waits for its lease to expire", metadata: ["error": "\(error)"])
        }
    }

    private func keepLooking() async {
        while (try? await services.clock.sleep(configuration.pollInterval)) != nil { nudge() }
    }

    private func keepLease() async {
        while (try? await services.clock.sleep(configuration.lease / 3)) != nil { await renew() }
    }

    private func renew() async {
        let (current, lost) = worker.withLock { worker -> (Worker, UUIDv7?) in
            guard worker.lease.isLost else { return (worker, nil) }
            let lost = worker.id
            worker = Worker(
                id: UUIDv7(at: services.clock.wall.now()),
                lease: WorkerLease(duration: configuration.lease, now: services.clock.instant))
            return (worker, lost)
        }
        // What ran under the lost lease stops paying for answers that it may not write.
        if let lost { tellRuns(.stop) { $0.worker == lost } }
        let sentAt = current.lease.instant
        do {
            try await services.ledger.renew(worker: current.id, lease: configuration.lease)
            current.lease.renewed(sentAt: sentAt)
        } catch {
            services.logger.error("lease not renewed", metadata: ["error": "\(error)"])
        }
    }

    private func claim(in group: inout DiscardingTaskGroup) async {
        await gather()
        let current = worker.withLock { $0 }
        while current.lease.mayStartEffects, !isShuttingDown.load(ordering: .acquiring) {
            let room = min(32, configuration.maximumExecutions - executionsInFlight)
            guard room > 0 else { return }
            let claims: [ClaimedExecution]
            do {
                let inFlight = runs.withLock { $0.keys.filter { $0.worker == current.id }.map(\.executionID) }
                claims = try await services.ledger.claim(worker: current.id, limit: room, inFlight: inFlight)
            } catch {
                services.logger.error("nothing claimed", metadata: ["error": "\(error)"])
                return
            }
            for claim in claims { start(claim, lease: current.lease, in: &group) }
            if claims.count < room { return }
        }
    }

    /// A busy host waits for a moment until more of its runs have ended: a claim costs about as much for one as for
    /// several, and each end asks for another.
    private func gather() async {
        let room = configuration.maximumExecutions - executionsInFlight
        guard room > 0, room * 4 < configuration.maximumExecutions else { return }
        try? await services.clock.sleep(.milliseconds(5))
    }

    private func start(_ claim: ClaimedExecution, lease: WorkerLease, in group: inout DiscardingTaskGroup) {
        // Without a bound, for a step must not wait for the database: while a checkpoint cannot be written each step adds
        // its few events and a deployment its record once a second, and the run is let go of with its lease.
        let (stream, continuation) = AsyncStream.makeStream(of: StepEvent.self)
        let report: @Sendable (StepEvent) -> Void = { continuation.yield($0) }
        runs.withLock { $0[claim.fence] = report }
        group.addTask {
            do {
                var run = try ExecutionRun(claim, services: self.services, lease: lease, events: (stream, report))
                try await run.run()
            } catch let error as PlanUnreadable {
                await self.refuse(claim, error, lease: lease)
            } catch {
                self.services.logger.notice(
                    "run let go", metadata: ["execution": "\(claim.fence.executionID)", "reason": "\(error)"])
            }
            self.runs.withLock { $0[claim.fence] = nil }
            self.nudge()
        }
    }

    /// Ends a run whose stored plan cannot be read, with what it has cost.
    private func refuse(_ claim: ClaimedExecution, _ error: PlanUnreadable, lease: WorkerLease) async {
        let nothing = ExecutionPlan(
            templateSlug: "", templateVersion: "", deploymentConfig: .null, steps: [], requiredOutputs: [])
        var journal = RunJournal(claim, plan: nothing, services: services, lease: lease)
        var state = RunState(plan: nothing, finished: [:], progress: claim.progress)
        let failure = ExecutionError(
            code: "plan_unreadable", message: "\(error)", step: nil, isRetryable: true, action: "start the run again")
        _ = try? await journal.end(ExecutionEnding(state: .failed, result: .null, error: failure), &state)
    }

    /// Lets steps in flight finish for a while, then cuts them; and when the database holds even that up, gives up.
    private func drain(in group: inout DiscardingTaskGroup) async {
        tellRuns(.drain)
        let lease = worker.withLock { $0.lease }
        group.addTask {
            guard (try? await self.services.clock.sleep(self.configuration.drain)) != nil else { return }
            self.tellRuns(.stop)
            guard (try? await self.services.clock.sleep(.seconds(5))) != nil else { return }
            lease.surrender()
        }
        guard executionsInFlight > 0 else { return }
        for await _ in signals where executionsInFlight == 0 { return }
    }

    private func tellRuns(_ event: StepEvent, where matches: (Fence) -> Bool = { _ in true }) {
        for report in runs.withLock({ $0.filter { matches($0.key) }.map(\.value) }) { report(event) }
    }
}
