import Domain
import Glibc
import PluginABI
import Synchronization
import Testing
import Threads

@testable import PluginHost

/// What happens between a plugin's thread and the transport's, with a transport that the test moves.
@Suite(.timeLimit(.minutes(1))) struct HostedTransferTests {
    private func withTransfer(
        _ transport: StubTransport, body: OutboundRequest.Body = .stream(length: nil),
        _ test: (HostedTransfer, HostedCall) async throws -> Void
    ) async throws {
        let registry = PluginRegistry.test(transport: transport)
        try #require(await registry.refusal(of: try await Fixture.c("echo")) == nil)
        let instance = try #require(registry.state.withLock { $0.plugins["echo-c"]?.instance })
        let route = try #require(registry.route(for: .aiProvider("echo_c")))
        let now = SystemWallClock().now()
        let invocation = Invocation(
            route: route, callID: UUIDv7(at: now), input: [:], tenant: "", attempt: 1, idempotencyKey: "", deadline: now
        )
        let call = HostedCall(id: instance.newID(), invocation: invocation, instance: instance, hasServer: false)
        try #require(call.begin())
        let request = OutboundRequest(
            method: "POST", url: "http://127.0.0.1", body: body, timeout: .seconds(1), egress: EgressPolicy())
        try await test(
            HostedTransfer(id: instance.newID(), call: call, user: 1, request: request, instance: instance), call)
        await registry.shutdown()
    }

    @Test func whatIsWrittenBeforeTheTransportReturnsIsNotLost() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _ in
            transport.whileStarting = {
                #expect(transfer.write([1]) == AIB_E_AGAIN, "nothing was taken: it is to be written again")
                #expect(transfer.finish() == AIB_OK)
                transfer.pause(true)
            }
            transfer.start()
            #expect(transport.transfer.calls == ["pause", "finishBody"])
            #expect(transfer.write([1]) == AIB_E_INVALID && transfer.finish() == AIB_E_INVALID)
        }
    }

    @Test func aBodyThatIsKnownIsNotFinishedAgain() async throws {
        let transport = StubTransport()
        try await withTransfer(transport, body: .bytes([1])) { transfer, _ in
            transfer.start()
            #expect(transport.transfer.calls == [])
        }
    }

    @Test func aTransferThatIsAbortedWhileItStartsIsCancelled() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _ in
            transport.whileStarting = { #expect(transfer.cancel()) }
            transfer.start()
            #expect(transport.transfer.calls == ["cancel"])
        }
    }

    /// However two threads fall upon each other, the transport is told the decisions in their order.
    @Test func pausingAndResumingAreToldInOrder() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _ in
            transfer.start()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for turn in 0..<10_000 { transfer.pause(turn % 2 == 0) } }
                }
            }
            transfer.pause(false)
            let calls = transport.transfer.calls
            #expect(calls.count.isMultiple(of: 2))
            for (index, call) in calls.enumerated() where call != (index % 2 == 0 ? "pause" : "resume") {
                Issue.record("call \(index) of \(calls.count) is \(call)")
                return
            }
        }
    }

    /// While the transport is being told to pause, another thread decides to go on: that is told afterwards.
    @Test func theLastDecisionIsToldLast() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _ in
            transfer.start()
            let (ends, end) = AsyncStream.makeStream(of: Void.self)
            transport.transfer.whilePausing = {
                try? OwnedThread.startDetached(name: "resumes") {
                    transfer.pause(false)
                    end.yield()
                }
                // Long enough for a word that does not wait its turn.
                _ = usleep(50_000)
            }
            transfer.pause(true)
            for await _ in ends { break }
            #expect(transport.transfer.calls == ["pause", "resume"])
        }
    }

    /// A plugin that starts and aborts without end leaves no more events behind than its call may have.
    @Test func eventsThatWaitAreBounded() async throws {
        try await withTransfer(StubTransport()) { _, call in
            call.queued(HostedCall.maximumQueuedEvents)
            #expect(call.adopt(1) == AIB_E_LIMIT)
            call.queued(-1)
            #expect(call.adopt(1) == AIB_OK)
        }
    }
}

private final class StubTransport: HTTPTransport {
    let transfer = StubTransfer()
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    /// Runs before `start` returns, as events may that come at once.
    var whileStarting: (@Sendable () -> Void)? {
        get { hook.withLock { $0 } }
        set { hook.withLock { $0 = newValue } }
    }

    func start(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        whileStarting?()
        return transfer
    }
}

private final class StubTransfer: HTTPTransfer {
    private let log = Mutex<[String]>([])
    var calls: [String] { log.withLock { $0 } }
    private func add(_ call: String) { log.withLock { $0.append(call) } }

    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    /// Runs within the next call of `pause`.
    var whilePausing: (@Sendable () -> Void)? {
        get { hook.withLock { $0 } }
        set { hook.withLock { $0 = newValue } }
    }

    func pause() {
        whilePausing?()
        whilePausing = nil
        add("pause")
    }
    func resume() { add("resume") }
    func write(_ bytes: [UInt8]) -> Bool {
        add("write")
        return true
    }
    func finishBody() { add("finishBody") }
    func cancel() { add("cancel") }
}
