import Domain
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import Engine

/// A catalog that holds one template, by its slug.
private struct OneTemplate: TemplateCatalog {
    let definition: JSON
    func list(_ filter: TemplateFilter) async throws(LedgerError) -> TemplatePage {
        TemplatePage(templates: "[]", totalCount: 0, next: nil)
    }
    func source(of id: String) async throws(LedgerError) -> JSON? { id == "brief" ? definition : nil }
    func publish(_ template: Template) async throws(LedgerError) {}
    func publish(_ categories: [TemplateCategory]) async throws(LedgerError) {}

    static func steps(model: String) -> OneTemplate {
        OneTemplate(definition: [
            "template": [
                "metadata": [
                    "id": "brief", "name": "Brief", "version": "1.0.0", "description": "d", "category": "tools",
                    "complexity": "beginner", "estimated_time_minutes": 4,
                ],
                "configuration": ["required_inputs": [["key": "subject", "type": "string", "label": "Subject"]]],
                "execution_steps": [
                    [
                        "step_id": 1, "name": "Write", "type": "ai_call", "ai_provider": "claude",
                        "model": .string(model), "prompt_template": "Write about {{subject}}",
                        "expected_output": "text",
                    ]
                ],
            ]
        ])
    }
}

@Suite struct EngineTests {
    private let principal = Principal(
        userID: UUIDv7(at: Timestamp(microseconds: 3)), keyID: UUIDv7(at: Timestamp(microseconds: 4)), tier: "starter",
        isAdmin: false)

    private func engine(
        _ dispatch: ScriptedDispatch, _ ledger: MemoryLedger, model: String = "model-1",
        clock: TestClock = TestClock()
    ) -> Engine {
        Engine(
            dispatch: dispatch, ledger: ledger, catalog: OneTemplate.steps(model: model), pricing: FlatPricing(),
            workerID: UUIDv7(at: Timestamp(microseconds: 1)), clock: clock.engineClock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func request(_ configuration: JSON, template: String = "brief") -> ExecutionRequest {
        ExecutionRequest(template: template, configuration: configuration, webhookURL: nil, idempotencyKey: nil)
    }

    @Test func admissionChecksBeforeItWrites() async throws {
        let ledger = MemoryLedger()
        let dispatch = ScriptedDispatch { _, _ in answer("x") }
        let engine = engine(dispatch, ledger)
        await #expect(throws: AdmissionRefusal.self) {
            try await engine.admit(request([:]), by: principal)
        }
        do {
            _ = try await engine.admit(request(["subject": 5]), by: principal)
            Issue.record("a wrong type was admitted")
        } catch {
            guard case .invalidConfiguration(let faults) = error else { throw error }
            #expect(faults.all.map(\.pointer) == ["/configuration/subject"])
        }
        do {
            _ = try await engine.admit(request(["subject": "x"], template: "absent"), by: principal)
            Issue.record("an absent template was admitted")
        } catch {
            guard case .templateNotFound = error else { throw error }
        }
        #expect(ledger.state.withLock { $0.drafts.isEmpty })

        let admission = try await engine.admit(request(["subject": "tides"]), by: principal)
        #expect(ledger.state.withLock { $0.drafts.map(\.id) } == [admission.executionID])
        #expect(admission.estimatedCompletion == TestClock().now().advanced(by: .seconds(240)))
    }

    @Test func aModelWithoutAPriceIsRefused() async throws {
        let ledger = MemoryLedger()
        let engine = engine(ScriptedDispatch { _, _ in answer("x") }, ledger, model: "model-9")
        do {
            _ = try await engine.admit(request(["subject": "tides"]), by: principal)
            Issue.record("an unpriced model was admitted")
        } catch {
            guard case .cannotRun(let faults) = error else { throw error }
            #expect(faults.all.first?.code == "model_not_priced")
            #expect(faults.all.first?.message.contains("model-9") == true)
        }
    }

    @Test func theEngineClaimsRunsDrainsAndGivesBack() async throws {
        let ledger = MemoryLedger()
        let clock = TestClock(endless: .seconds(1))
        let held = Barrier(2)
        let dispatch = ScriptedDispatch { invocation, _ in
            if invocation.prompt.contains("held") { await held.arrive() }
            return answer("done")
        }
        var configuration = Engine.Configuration()
        configuration.lease = .seconds(3)
        configuration.drain = .seconds(1)
        let worker = UUIDv7(at: Timestamp(microseconds: 1))
        let engine = Engine(
            configuration: configuration, dispatch: dispatch, ledger: ledger,
            catalog: OneTemplate.steps(model: "model-1"), pricing: FlatPricing(), workerID: worker,
            clock: clock.engineClock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let services = ServiceGroup(
            services: [engine], gracefulShutdownSignals: [],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = services.run()
        _ = try await engine.admit(request(["subject": "quick"]), by: principal)
        for await _ in ledger.changed where ledger.ending != nil { break }
        #expect(ledger.ending?.state == .completed)

        // A step in flight when the shutdown begins still ends, and its record is durable.
        _ = try await engine.admit(request(["subject": "held"]), by: principal)
        while !dispatch.invocations.contains(where: { $0.prompt.contains("held") }) { await Task.yield() }
        await services.triggerGracefulShutdown()
        await held.arrive()
        try await running
        #expect(ledger.records.count == 2)

        // Under the identity it was given: a restarted host gives back what the one before it owned by that name.
        #expect(ledger.state.withLock { $0.released } == [worker])
        #expect(engine.executionsInFlight == 0)
    }

    @Test func aStepThatOutlastsTheDrainIsCutAndItsCallSettled() async throws {
        let ledger = MemoryLedger()
        let asked = Barrier(2)
        let dispatch = ScriptedDispatch { _, onChunk throws(ProviderError) in
            await onChunk(.usage(TokenUsage(input: 10, output: 1)))
            await asked.arrive()
            let (never, keep) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            withExtendedLifetime(keep) {}
            throw ProviderError(.cancelled, "cancelled")
        }
        var configuration = Engine.Configuration()
        configuration.lease = .seconds(3)
        configuration.drain = .milliseconds(10)
        let engine = Engine(
            configuration: configuration, dispatch: dispatch, ledger: ledger,
            catalog: OneTemplate.steps(model: "model-1"), pricing: FlatPricing(),
            workerID: UUIDv7(at: Timestamp(microseconds: 1)), clock: TestClock(endless: .seconds(1)).engineClock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let services = ServiceGroup(
            services: [engine], gracefulShutdownSignals: [],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = services.run()
        _ = try await engine.admit(request(["subject": "endless"]), by: principal)
        await asked.arrive()
        await services.triggerGracefulShutdown()
        try await running
        #expect(ledger.records.isEmpty && ledger.ending == nil)
        #expect(ledger.settlements.map(\.state) == [.estimated])
        #expect(ledger.state.withLock { $0.released.count } == 1)
    }
}
