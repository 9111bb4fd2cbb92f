import Domain
import Logging
import ServiceLifecycle
import Testing

@testable import Webhooks

@Suite(.timeLimit(.minutes(1))) struct WebhookSenderTests {
    private static let time = Timestamp(microseconds: 1_795_421_700_250_000)
    private let transport = HeldTransport()
    private let sleep = HeldSleep()

    /// - Parameters:
    ///   - execution: a number to tell executions apart.
    private func delivery(_ execution: Int, attempts: Int = 0, type: String = "execution.started") throws
        -> WebhookDelivery
    {
        WebhookDelivery(
            event: WebhookEvent(id: UUIDv7(at: Self.time), type: type, data: ["n": .integer(Int64(execution))]),
            executionID: try #require(UUIDv7("0198c0de-0000-7000-8000-00000000000\(execution)")),
            url: "https://hooks.example.com/\(execution)", attempts: attempts, time: Self.time)
    }

    private func sender(
        _ outbox: MemoryOutbox, _ configuration: WebhookSender.Configuration = .init(), jitter: Double = 1
    ) -> WebhookSender {
        WebhookSender(
            outbox: outbox, transport: transport, signer: WebhookSigner(serverKey: [1]), configuration: configuration,
            clock: FixedClock(time: Self.time), sleep: { [sleep] in try await sleep.sleep($0) }, jitter: { jitter },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs a sender beside a test, then shuts it down gracefully and waits for its end.
    private func running(_ sender: WebhookSender, _ test: () async throws -> Void) async throws {
        let group = ServiceGroup(
            services: [sender], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await group.run() }
        try await test()
        await group.triggerGracefulShutdown()
        try await run.value
    }

    private func outcome(
        attempts: Int = 0, jitter: Double = 1, _ answer: (HeldTransfer) -> Void
    ) async throws -> WebhookOutcome? {
        let outbox = MemoryOutbox([try delivery(1, attempts: attempts)])
        let index = transport.transfers.count
        try await running(sender(outbox, jitter: jitter)) {
            answer(await transport.transfer(index))
            _ = await outbox.settled(count: 1)
        }
        return outbox.settled.first?.outcome
    }

    @Test(arguments: [200, 201, 204, 299]) func anAnswerOf2xxIsADelivery(status: Int) async throws {
        #expect(try await outcome { $0.answer(status) } == .delivered)
    }

    @Test func anAnswerOf410IsTheEnd() async throws {
        #expect(
            try await outcome { $0.answer(410) } == .dead(reason: "the receiver wants no more: it answered 410"))
    }

    @Test(arguments: [301, 302, 400, 401, 404, 409, 411, 429, 500, 503])
    func anyOtherAnswerIsFollowedByAnotherAttempt(status: Int) async throws {
        #expect(
            try await outcome { $0.answer(status) }
                == .postponed(.seconds(5), reason: "the receiver answered \(status)"))
    }

    @Test(arguments: [
        (ProviderError.Code.timeout, "no answer in time"), (.denied, "this address may not be called"),
        (.upstream, "no connection, or no HTTP"), (.invalid, "the URL is not one"),
    ])
    func aFailureIsToldWithoutTheTransportsWords(code: ProviderError.Code, reason: String) async throws {
        #expect(
            try await outcome(attempts: 3, jitter: 0) { $0.send(.failed(ProviderError(code, "10.0.0.5 refused"))) }
                == .postponed(.seconds(20), reason: reason))
    }

    @Test func theTwelfthAttemptIsTheLast() async throws {
        #expect(
            try await outcome(attempts: 10) { $0.answer(500) }
                == .postponed(.seconds(3_600), reason: "the receiver answered 500"))
        #expect(
            try await outcome(attempts: 11) { $0.answer(500) }
                == .dead(reason: "the receiver answered 500, after 12 attempts"))
    }

    @Test func sendsAtOnceNoMoreThanItsWidth() async throws {
        let outbox = MemoryOutbox(try (1...5).map { try delivery($0) })
        try await running(sender(outbox, .init(width: 2))) {
            for index in 0..<5 {
                // Asking again does not widen it.
                await sleep.wake(.seconds(1))
                let transfer = await transport.transfer(index)
                #expect(transport.open.count <= 2)
                transfer.answer(200)
                _ = await outbox.settled(count: index + 1)
            }
        }
        #expect(outbox.settled.map(\.outcome) == Array(repeating: .delivered, count: 5))
        #expect(outbox.limits.allSatisfy { 1...2 ~= $0 }, "it takes what can begin at once")
    }

    /// Also where an outbox would hand out two.
    @Test(arguments: [true, false]) func anExecutionsEventsGoOneByOne(keepsOrder: Bool) async throws {
        let (first, second) = (try delivery(1), try delivery(1, type: "execution.completed"))
        let outbox = MemoryOutbox([first, second, try delivery(2)], keepsOrder: keepsOrder)
        try await running(sender(outbox)) {
            _ = await transport.transfer(1)
            await sleep.wake(.seconds(1))
            #expect(Set(transport.open.map(\.request.url)).count == transport.open.count)
            for transfer in transport.open { transfer.answer(200) }
            _ = await outbox.settled(count: 2)
            if keepsOrder {
                await transport.transfer(2).answer(200)
                _ = await outbox.settled(count: 3)
            }
        }
        let types = outbox.settled.map(\.delivery).filter { $0.executionID == first.executionID }.map(\.event.type)
        #expect(types == (keepsOrder ? ["execution.started", "execution.completed"] : ["execution.started"]))
    }

    @Test func anOutboxThatIsAwayIsAskedAgain() async throws {
        let outbox = MemoryOutbox([try delivery(1)], failures: 3)
        try await running(sender(outbox)) {
            while outbox.limits.count < 4 { await sleep.wake(.seconds(1)) }
            await transport.transfer(0).answer(200)
            _ = await outbox.settled(count: 1)
        }
    }

    @Test func aShutdownLetsWhatIsUnderWayFinishAndTakesNothingMore() async throws {
        let outbox = MemoryOutbox(try (1...3).map { try delivery($0) })
        let sender = sender(outbox, .init(width: 1))
        let group = ServiceGroup(
            services: [sender], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await group.run() }
        let transfer = await transport.transfer(0)
        await group.triggerGracefulShutdown()
        await sleep.wake(.seconds(1), until: .seconds(5))
        transfer.answer(200)
        try await run.value
        #expect(outbox.settled.map(\.outcome) == [.delivered])
        #expect(outbox.waitingCount == 2 && transport.transfers.count == 1)
    }

    @Test func whatTakesTooLongAtAShutdownIsCutOffAndLeftToItsLease() async throws {
        let outbox = MemoryOutbox([try delivery(1)])
        let group = ServiceGroup(
            services: [sender(outbox)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await group.run() }
        let transfer = await transport.transfer(0)
        await group.triggerGracefulShutdown()
        await sleep.wake(.seconds(1), until: .seconds(5))
        await sleep.wake(.seconds(5))
        try await run.value
        #expect(transfer.isCancelled && outbox.settled.isEmpty)
    }
}
