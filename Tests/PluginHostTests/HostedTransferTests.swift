import Dispatch
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
        _ test: (HostedTransfer, HostedCall, PluginInstance) async throws -> Void
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
            HostedTransfer(id: instance.newID(), call: call, user: 1, request: request, instance: instance), call,
            instance)
        await registry.shutdown()
    }

    @Test func whatIsSaidBeforeTheTransportBeganIsNotLost() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _, _ in
            transport.transfer.whileBeginning = {
                #expect(transfer.write([1]) == AIB_OK)
                #expect(transfer.finish() == AIB_OK)
            }
            transfer.pause(true)
            transfer.start()
            #expect(transport.transfer.calls == ["pause", "begin", "write", "finishBody"])
            #expect(transfer.write([1]) == AIB_E_INVALID && transfer.finish() == AIB_E_INVALID)
        }
    }

    /// The peer sends from the moment it may, and this thread comes no further meanwhile.
    @Test func aPeerThatIsQuickerThanItsStarterIsHeldBack() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _, instance in
            // The plugin sees nothing.
            let gate = DispatchSemaphore(value: 0)
            instance.thread.post { gate.wait() }
            transport.transfer.whileBeginning = {
                for _ in 0..<100 where !transport.transfer.calls.contains("pause") {
                    transport.send(.data([UInt8](repeating: 1, count: 16_384)))
                }
            }
            transfer.start()
            #expect(transport.transfer.calls == ["begin", "pause"])
            #expect(HostedTransfer.highWater...262_144 ~= transfer.unseenBytes, "\(transfer.unseenBytes)")
            transfer.cancel()
            gate.signal()
        }
    }

    @Test func aBodyThatIsKnownIsNotFinishedAgain() async throws {
        let transport = StubTransport()
        try await withTransfer(transport, body: .bytes([1])) { transfer, _, _ in
            transfer.start()
            #expect(transport.transfer.calls == ["begin"])
        }
    }

    @Test func aTransferThatIsAbortedBeforeItBeganNeverBegins() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _, _ in
            #expect(transfer.cancel())
            transfer.start()
            #expect(transport.transfer.calls == [])
        }
    }

    /// However two threads fall upon each other, the transport is told the decisions in their order.
    @Test func pausingAndResumingAreToldInOrder() async throws {
        let transport = StubTransport()
        try await withTransfer(transport) { transfer, _, _ in
            transfer.start()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for turn in 0..<10_000 { transfer.pause(turn % 2 == 0) } }
                }
            }
            transfer.pause(false)
            let calls = transport.transfer.calls.dropFirst()
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
        try await withTransfer(transport) { transfer, _, _ in
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
            #expect(transport.transfer.calls == ["begin", "pause", "resume"])
        }
    }

    /// A plugin that starts and aborts without end leaves no more events behind than its call may have.
    @Test func eventsThatWaitAreBounded() async throws {
        try await withTransfer(StubTransport()) { _, call, _ in
            call.queued(HostedCall.maximumQueuedEvents)
            #expect(call.adopt(1) == AIB_E_LIMIT)
            call.queued(-1)
            #expect(call.adopt(1) == AIB_OK)
        }
    }
}

private final class StubTransport: HTTPTransport {
    let transfer = StubTransfer()
    private let onEvent = Mutex<(@Sendable (HTTPEvent) -> Void)?>(nil)

    func prepare(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        self.onEvent.withLock { $0 = onEvent }
        return transfer
    }

    func send(_ event: HTTPEvent) { onEvent.withLock { $0 }?(event) }
}

private final class StubTransfer: HTTPTransfer {
    private let log = Mutex<[String]>([])
    var calls: [String] { log.withLock { $0 } }
    private func add(_ call: String) { log.withLock { $0.append(call) } }

    private let hooks = Mutex<(beginning: (@Sendable () -> Void)?, pausing: (@Sendable () -> Void)?)>((nil, nil))

    /// Runs within `begin`.
    var whileBeginning: (@Sendable () -> Void)? {
        get { hooks.withLock { $0.beginning } }
        set { hooks.withLock { $0.beginning = newValue } }
    }

    /// Runs within the next call of `pause`.
    var whilePausing: (@Sendable () -> Void)? {
        get { hooks.withLock { $0.pausing } }
        set { hooks.withLock { $0.pausing = newValue } }
    }

    func begin() {
        add("begin")
        whileBeginning?()
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
