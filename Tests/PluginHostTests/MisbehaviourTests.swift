import Domain
import Synchronization
import Testing

@testable import PluginHost

/// Plugins that break the rules harm themselves alone.
@Suite struct MisbehaviourTests {
    private static let key = RouteKey.aiProvider("hostile")

    private func load(
        _ rule: HostileRule, log: LogKeeper = LogKeeper(), patience: Duration = .seconds(20)
    ) async throws -> PluginRegistry {
        let registry = PluginRegistry.test(log: log, patience: patience)
        let path = try await Fixture.c("hostile", rule: rule)
        let secrets = SecretScope(["HOSTILE_KEY": .init("s3cr3t-value")])
        let refusal = await registry.refusal(of: path, PluginSettings(secrets: secrets))
        try #require(refusal == nil)
        return registry
    }

    @Test(arguments: [
        (HostileRule.completesTwice, "stale_completion"), (.unknownKind, "unknown_chunk"),
        (.hugeChunk, "oversized_chunk"), (.unknownIDs, "unknown_completion"),
        (.refusesAfterCompletion, "refusal_after_completion"),
    ])
    func aBrokenRuleIsCountedAndHarmless(rule: HostileRule, kind: String) async throws {
        let log = LogKeeper()
        let registry = try await load(rule, log: log)
        for _ in 0..<2 { #expect(try await registry.call(Self.key, [:])["text"] == "done") }
        await registry.shutdown()
        #expect(log.all.contains { $0.hasPrefix("warning") && $0.contains("kind=\(kind)") }, "\(log.all)")
    }

    @Test func aLineThatIsNoneIsCountedAndOneThatIsNoTextIsMended() async throws {
        let log = LogKeeper()
        let registry = try await load(.badLog, log: log)
        let chunks = ChunkKeeper()
        #expect(try await registry.call(Self.key, [:]) { chunks.keep($0) }["text"] == "done")
        #expect(chunks.lines.map(\.message) == ["bad \u{FFFD}\u{FFFD}"])
        await registry.shutdown()
        #expect(log.all.count { $0.hasPrefix("warning") && $0.contains("kind=invalid_log") } == 8, "\(log.all)")
    }

    @Test func ungrantedAndUnknownServicesAreNull() async throws {
        let registry = try await load(.ungranted)
        #expect(try await registry.call(Self.key, [:])["text"] == "done")
        await registry.shutdown()
    }

    @Test func textSplitInsideACharacterIsJoined() async throws {
        let registry = try await load(.splitsText)
        let chunks = ChunkKeeper()
        _ = try await registry.call(Self.key, [:]) { chunks.keep($0) }
        #expect(chunks.text == "a🙂z")
        await registry.shutdown()
    }

    @Test func aCallThatIsNeverCompletedEndsAtItsDeadline() async throws {
        let log = LogKeeper()
        let registry = try await load(.neverCompletes, log: log)
        let clock = ContinuousClock()
        let start = clock.now
        let error = try await registry.error(Self.key, within: .milliseconds(100))
        #expect(error?.code == .timeout && error?.isRetryable == true)
        #expect(start.duration(to: clock.now) >= .milliseconds(99))
        await registry.shutdown()
        #expect(log.all.contains { $0.contains("kind=never_completed") })
        #expect(log.all.contains { $0.contains("is not destroyed") })
    }

    @Test func aDeadlineThatHasPassedIsNotSentToThePlugin() async throws {
        let registry = try await load(.neverCompletes)
        #expect(try await registry.error(Self.key, within: .milliseconds(-1))?.code == .timeout)
        await registry.shutdown()
    }

    @Test func aLateCompletionAfterACancelIsStale() async throws {
        let log = LogKeeper()
        let registry = try await load(.completesLate, log: log)
        let call = Task { try await registry.error(Self.key) }
        // The task may be cancelled before, while or after the plugin is given the call: each must end it.
        call.cancel()
        #expect(try await call.value?.code == .cancelled)
        // The plugin now completes what it holds, from its health function, and says denied if that was stale.
        let second = Task { try await registry.error(Self.key, within: .milliseconds(100)) }
        #expect(try await second.value?.code == .timeout)
        while registry.callsInFlight > 0 { await Task.yield() }
        #expect(log.all.contains { $0.contains("kind=never_completed") })
        await registry.refreshHealth()
        #expect(registry.plugins.map(\.health) == [.failing("denied")])
        #expect(log.all.contains { $0.contains("kind=stale_completion") })
        await registry.shutdown()
    }

    @Test func aFloodStopsAtTheWindow() async throws {
        let registry = try await load(.floods)
        let chunks = ChunkKeeper()
        // The caller sits on its first chunk until the flood was turned away and has completed the call.
        let result = try await registry.call(Self.key, [:]) { chunk in
            while registry.callsInFlight > 0 { await Task.yield() }
            chunks.keep(chunk)
        }
        #expect(result["text"] == "4")
        #expect(chunks.text.utf8.count == 4 * 65_536)
        await registry.shutdown()
    }

    /// The whole host goes on while one plugin spins, and its own calls still end in time.
    @Test func aSpinningPluginDelaysOnlyItself() async throws {
        let log = LogKeeper()
        let registry = try await load(.spinsInStart, log: log, patience: .seconds(3))
        let echo = try await Fixture.c("echo")
        #expect(await registry.refusal(of: echo) == nil)
        let spinning = Task { try await registry.error(Self.key, within: .milliseconds(200)) }
        let queued = Task { try await registry.error(Self.key, within: .seconds(30)) }
        let waiting = Task { try await registry.error(Self.key, within: .milliseconds(300)) }
        for _ in 0..<20 {
            _ = try await registry.call(.aiProvider("echo_c"), ["messages": [["role": "user", "content": "x"]]])
        }
        #expect(try await spinning.value?.code == .timeout)
        queued.cancel()
        #expect(try await queued.value?.code == .cancelled)
        #expect(try await waiting.value?.code == .timeout)
        await registry.refreshHealth()
        #expect(registry.plugins.map(\.health) == [.unresponsive, .healthy])
        await registry.shutdown()
    }

    @Test func aRefusedStartIsTheCallersError() async throws {
        let registry = try await load(.refusesStart)
        let error = try await registry.error(Self.key)
        #expect(error?.code == .invalid && error?.message.contains("hostile") == true)
        await registry.shutdown()
    }

    @Test func aResultThatIsNoJSONNamesThePlugin() async throws {
        let registry = try await load(.badResult)
        let error = try await registry.error(Self.key)
        #expect(error?.code == .internal && error?.message.contains("the plugin hostile") == true)
        await registry.shutdown()
    }

    @Test func anErrorIsScrubbedBoundedAndWhole() async throws {
        let registry = try await load(.leaksSecret)
        let error = try #require(try await registry.error(Self.key))
        #expect(error.code == .limit && error.isRetryable && error.status == 429)
        #expect(error.retryAfter == .milliseconds(1_500))
        #expect(error.message.hasPrefix("the key [secret] is bad ---"))
        #expect(error.message.utf8.count <= Scrubber.maximumBytes + 3)
        #expect(error.providerRequestID == "req-[secret]")
        #expect(error.usage == TokenUsage(input: 3))
        await registry.shutdown()
    }

    @Test func theLineIsBounded() async throws {
        let timers = try TimerThread()
        let gate = ConcurrencyGate(plugin: "p", limit: 1, maximumWaiting: 1, timers: timers)
        try await gate.enter(for: "a", within: .seconds(10))
        let second = Task { try await gate.enter(for: "a", within: .seconds(30)) }
        while gate.waitingCount == 0 { await Task.yield() }
        let error = await #expect(throws: ProviderError.self) { try await gate.enter(for: "a", within: .seconds(10)) }
        #expect(error?.code == .limit && error?.isRetryable == true)
        gate.leave()
        try await second.value
        let third = Task { try await gate.enter(for: "a", within: .milliseconds(20)) }
        let late = await #expect(throws: ProviderError.self) { try await third.value }
        #expect(late?.code == .timeout)
        let fourth = Task { try await gate.enter(for: "a", within: .seconds(30)) }
        while gate.waitingCount == 0 { await Task.yield() }
        gate.close()
        let closed = await #expect(throws: ProviderError.self) { try await fourth.value }
        #expect(closed?.code == .cancelled)
        timers.stop()
    }

    /// One's many calls do not stand before another's few.
    @Test func tenantsTakeTurns() async throws {
        let timers = try TimerThread()
        let gate = ConcurrencyGate(plugin: "p", limit: 1, maximumWaiting: 64, timers: timers)
        try await gate.enter(for: "many", within: .seconds(60))
        let (order, entered) = AsyncStream.makeStream(of: String.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, tenant) in ["many", "many", "many", "gone", "few", "few"].enumerated() {
                group.addTask {
                    do { try await gate.enter(for: tenant, within: .seconds(60)) } catch { return }
                    entered.yield("\(tenant) \(number)")
                }
                while gate.waitingCount <= number { await Task.yield() }
            }
            var iterator = order.makeAsyncIterator()
            var names: [String] = []
            for _ in 0..<6 {
                gate.leave()
                if let name = await iterator.next() { names.append(name) }
            }
            #expect(names == ["many 0", "gone 3", "few 4", "many 1", "few 5", "many 2"])
            try await group.waitForAll()
        }
        gate.leave()
        #expect(gate.inFlight == 0)
        timers.stop()
    }

    @Test func whoLeavesTheLineLeavesNothingInIt() async throws {
        let timers = try TimerThread()
        let gate = ConcurrencyGate(plugin: "p", limit: 1, maximumWaiting: 64, timers: timers)
        try await gate.enter(for: "a", within: .seconds(60))
        let gone = Task { try await gate.enter(for: "b", within: .seconds(60)) }
        while gate.waitingCount == 0 { await Task.yield() }
        let next = Task { try await gate.enter(for: "c", within: .seconds(60)) }
        while gate.waitingCount == 1 { await Task.yield() }
        gone.cancel()
        await #expect(throws: ProviderError.self) { try await gone.value }
        gate.leave()
        try await next.value
        #expect(gate.inFlight == 1 && gate.waitingCount == 0)
        gate.leave()
        #expect(gate.inFlight == 0)
        timers.stop()
    }

    /// However soon the time is up, it ends the waiting.
    @Test(.timeLimit(.minutes(1))) func aTimeThatIsUpAtOnceIsNotMissed() async throws {
        let timers = try TimerThread()
        let gate = ConcurrencyGate(plugin: "p", limit: 1, maximumWaiting: 64, timers: timers)
        try await gate.enter(for: "a", within: .seconds(10))
        for _ in 0..<2_000 {
            let error = await #expect(throws: ProviderError.self) { try await gate.enter(for: "a", within: .zero) }
            #expect(error?.code == .timeout)
        }
        #expect(gate.waitingCount == 0)
        timers.stop()
    }
}
