import Glibc
import PluginABI
import Synchronization
import Testing

@testable import PluginKit

/// The plugin's side of a transfer, against a host that the test moves.
@Suite(.timeLimit(.minutes(1))) struct KitTransferTests {
    private static func text(_ body: [[UInt8]]) -> [String] { body.map { String(decoding: $0, as: UTF8.self) } }

    @Test func whatCameBeforeAFailureIsRead() async throws {
        let host = StubHost()
        let transfer = try host.transfer()
        host.push(AIB_EV_HTTP_HEAD, #"{"status":200,"version":"2","headers":[]}"#, to: transfer)
        host.push(AIB_EV_HTTP_DATA, "usage", to: transfer)
        host.push(AIB_EV_HTTP_DATA, " and more", to: transfer)
        host.push(AIB_EV_FAIL, #"{"code":"upstream","message":"cut","retryable":true}"#, to: transfer)
        #expect(try await transfer.head.wait().status == 200)
        #expect(
            Self.text([try #require(try await transfer.next()), try #require(try await transfer.next())])
                == ["usage", " and more"])
        let error = await #expect(throws: PluginError.self) { try await transfer.next() }
        #expect(error?.message == "cut" && error?.isRetryable == true)
        transfer.started(as: 9)
        #expect(host.aborted == [], "it ended by itself")
    }

    @Test func anAbandonedTransferIsAbortedOnceAndForgetsWhatCame() async throws {
        let host = StubHost()
        let transfer = try host.transfer()
        transfer.started(as: 9)
        host.push(AIB_EV_HTTP_DATA, "piece", to: transfer)
        transfer.abandon()
        transfer.abandon()
        #expect(host.aborted == [9])
        await #expect(throws: PluginError.self) { try await transfer.next() }
        let early = try host.transfer()
        early.abandon()
        early.started(as: 10)
        #expect(host.aborted == [9, 10])
    }

    /// The host says STALE as soon as the transfer is over; why it is, the event says that is still under way.
    @Test func aWriteThatComesTooLateSaysWhy() async throws {
        let host = StubHost(writeStatus: AIB_E_STALE)
        let transfer = try host.transfer()
        transfer.started(as: 9)
        let write = Task { try await transfer.write([1]) }
        while host.writes == 0 { await Task.yield() }
        host.push(AIB_EV_FAIL, #"{"code":"denied","message":"egress","retryable":false}"#, to: transfer)
        let error = await #expect(throws: PluginError.self) { try await write.value }
        #expect(error?.code == .denied && error?.message == "egress")
        let cancelled = Task { try await (try host.transfer()).write([1]) }
        cancelled.cancel()
        #expect(await #expect(throws: PluginError.self) { try await cancelled.value }?.code == .cancelled)
    }

    /// While the host is being told to pause, the reader catches up and decides to go on: that is told afterwards.
    @Test func theLastDecisionIsToldLast() async throws {
        let host = StubHost()
        let transfer = try host.transfer()
        transfer.started(as: 9)
        let pieces = 17
        let reader = Mutex<Task<Void, any Error>?>(nil)
        host.whilePausing = {
            reader.withLock { $0 = Task { for _ in 0..<pieces { _ = try await transfer.next() } } }
            // Long enough for a word that does not wait its turn.
            _ = usleep(50_000)
        }
        for _ in 0..<pieces { host.push(AIB_EV_HTTP_DATA, String(repeating: "x", count: 4_096), to: transfer) }
        try await #require(reader.withLock { $0 }).value
        #expect(host.pauses == 2 && host.isInOrder && !host.isPaused)
    }

    /// A reader and the host's events at once: the host is told the pauses in the order of their decisions, so that the
    /// last word is never a pause that was taken back.
    @Test func aTransferNeverStalls() async throws {
        let host = StubHost()
        let transfer = try host.transfer()
        transfer.started(as: 9)
        let (pieces, size) = (20_000, 4_096)
        let piece = String(repeating: "x", count: size)
        async let pushed: Void = {
            for _ in 0..<pieces {
                while host.isPaused { await Task.yield() }
                host.push(AIB_EV_HTTP_DATA, piece, to: transfer)
            }
            host.push(AIB_EV_HTTP_END, "", to: transfer)
        }()
        var total = 0
        while let piece = try await transfer.next() { total += piece.count }
        await pushed
        #expect(total == pieces * size)
        #expect(host.pauses > 0 && host.isInOrder)
    }
}

/// A host of one service.
///
/// Unchecked: what it points to is made in the initializer and never changed; it outlives the test on purpose.
@safe private final class StubHost: @unchecked Sendable {
    private struct State {
        var isPaused = false
        var isInOrder = true
        var pauses = 0
        var writes = 0
        var aborted: [UInt64] = []
    }

    private let state = Mutex(State())
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)
    private let writeStatus: Int
    private let http = UnsafeMutablePointer<aib_svc_http>.allocate(capacity: 1)
    private let table = UnsafeMutablePointer<aib_host>.allocate(capacity: 1)

    /// Runs within the next call that pauses.
    var whilePausing: (@Sendable () -> Void)? {
        get { hook.withLock { $0 } }
        set { hook.withLock { $0 = newValue } }
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }
    var isInOrder: Bool { state.withLock { $0.isInOrder } }
    var pauses: Int { state.withLock { $0.pauses } }
    var writes: Int { state.withLock { $0.writes } }
    var aborted: [UInt64] { state.withLock { $0.aborted } }

    init(writeStatus: Int = AIB_OK) {
        self.writeStatus = writeStatus
        unsafe http.initialize(
            to: aib_svc_http(
                struct_size: UInt32(MemoryLayout<aib_svc_http>.size), reserved: 0,
                start: { _, _, _, _, _ in aib_status(AIB_OK) },
                pause: { context, _, paused in
                    let host = unsafe StubHost.at(context)
                    if paused != 0 {
                        host.whilePausing?()
                        host.whilePausing = nil
                    }
                    host.state.withLock { state in
                        if state.isPaused == (paused != 0) { state.isInOrder = false }
                        state.isPaused = paused != 0
                        state.pauses += 1
                    }
                    return aib_status(AIB_OK)
                },
                write: { context, _, _ in
                    let host = unsafe StubHost.at(context)
                    host.state.withLock { $0.writes += 1 }
                    return aib_status(host.writeStatus)
                },
                finish: { _, _ in aib_status(AIB_OK) },
                abort: { context, id in
                    unsafe StubHost.at(context).state.withLock { $0.aborted.append(id) }
                    return aib_status(AIB_OK)
                }))
        unsafe table.initialize(
            to: aib_host(
                struct_size: UInt32(MemoryLayout<aib_host>.size), abi_minor: UInt32(AIB_ABI_MINOR),
                ctx: Unmanaged.passRetained(self).toOpaque(),
                get_service: { context, id in
                    guard let id = unsafe id, unsafe String(cString: id) == AIB_SVC_HTTP else { return nil }
                    return unsafe UnsafeRawPointer(StubHost.at(context).http)
                },
                emit: { _, _, _, _ in aib_status(AIB_OK) }, complete: { _, _, _, _ in aib_status(AIB_OK) }))
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> StubHost {
        guard let context = unsafe context else { preconditionFailure("the kit lost its host") }
        return unsafe Unmanaged<StubHost>.fromOpaque(context).takeUnretainedValue()
    }

    func transfer() throws -> Transfer { Transfer(host: try #require(unsafe HostTable(table))) }

    func push(_ kind: Int, _ data: String, to transfer: Transfer) {
        unsafe withSpans(Array(data.utf8), []) { data, _ in
            unsafe transfer.receive(
                aib_event(
                    struct_size: UInt32(MemoryLayout<aib_event>.size), kind: UInt32(kind), user: 1, call: 7, handle: 9,
                    data: data))
        }
    }
}
