import Domain
import Glibc
import Synchronization
import Testing

@testable import PluginHost

/// Loads that meet a refusal, a disabled plugin or a shutdown on their way.
@Suite(.timeLimit(.minutes(1))) struct LoadingLifeTests {
    private static let manifest = """
        {"id":"sleeping","name":"Sleeping","version":"1.0.0","license":"MIT","abi":{"major":0,"min_host_minor":1},
         "operations":[{"name":"ai.generate"}],"serves":[{"ai_provider":"echo_c","operation":"ai.generate"}]}
        """

    /// A library that would be refused as soon as it was opened.
    @Test func aDisabledPluginIsListedWithoutBeingOpened() async throws {
        let registry = PluginRegistry.test()
        #expect(await registry.refusal(of: try await Fixture.c("echo")) == nil)
        let path = try await Fixture.c("hostile", rule: .noSymbol)
        try Fixture.write(Array(Self.manifest.utf8), to: path.dropLast(3) + ".plugin.json")
        #expect(await registry.refusal(of: path, PluginSettings(isEnabled: false)) == nil)
        let plugin = try #require(registry.plugins.last)
        #expect(plugin.id == "sleeping" && plugin.health == .disabled && plugin.digest.count == 64)
        #expect(registry.routes == [.aiProvider("echo_c")], "a disabled plugin takes nobody's place")
        await registry.shutdown()
        let other = PluginRegistry.test()
        #expect(await other.refusal(of: path)?.code == .notAPlugin, "it is opened where it is enabled")
        await other.shutdown()
    }

    @Test func aRefusedLoadLeavesNoThread() async throws {
        let registry = PluginRegistry.test()
        let path = Fixture.temporaryFolder() + "/thread-leak.so"
        try Fixture.write(try Fixture.read(try await Fixture.c("echo")), to: path)
        #expect(await registry.refusal(of: path) == nil)
        for _ in 0..<3 { #expect(await registry.refusal(of: path)?.code == .duplicate) }
        while Self.threads(named: "thread-leak.so") != 1 { await Task.yield() }
        await registry.shutdown()
        while Self.threads(named: "thread-leak.so") != 0 { await Task.yield() }
    }

    private static func threads(named name: String) -> Int {
        guard let folder = unsafe opendir("/proc/self/task") else { return -1 }
        defer { unsafe closedir(folder) }
        var count = 0
        while let entry = unsafe readdir(folder) {
            let id = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // A thread may end meanwhile.
            guard let comm = try? Fixture.read("/proc/self/task/\(id)/comm") else { continue }
            if String(decoding: comm, as: UTF8.self) == name + "\n" { count += 1 }
        }
        return count
    }

    /// The shutdown begins while the load asks for its settings, and goes on beside it.
    @Test func aLoadThatMeetsAShutdownPublishesNothing() async throws {
        let registry = PluginRegistry.test()
        let path = try await Fixture.c("echo")
        let shutdown = Mutex<Task<Void, Never>?>(nil)
        let refusal = await #expect(throws: PluginRefusal.self) {
            try await registry.load(path) { _ in
                registry.state.withLock { $0.isShutDown = true }
                shutdown.withLock { $0 = Task { await registry.shutdown() } }
                return PluginSettings()
            }
        }
        #expect(refusal?.code == .failed && refusal?.reason.contains("shutting down") == true)
        await shutdown.withLock { $0 }?.value
        #expect(registry.plugins.isEmpty && registry.routes.isEmpty)
        #expect(registry.state.withLock { $0.reserved.isEmpty && $0.loads == 0 })
    }

    @Test func everyShutdownEnds() async throws {
        let log = LogKeeper()
        let registry = PluginRegistry.test(log: log, grace: .milliseconds(100))
        #expect(await registry.refusal(of: try await Fixture.c("hostile", rule: .neverCompletes)) == nil)
        let (taken, take) = AsyncStream.makeStream(of: Void.self)
        let call = Task { try await registry.call(.aiProvider("hostile"), [:]) { _ in take.yield() } }
        // The plugin has the call: its first chunk came from `start`.
        for await _ in taken { break }
        await withDiscardingTaskGroup { group in
            for _ in 0..<4 { group.addTask { await registry.shutdown() } }
        }
        let error = await #expect(throws: ProviderError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        await registry.shutdown()
        #expect(log.all.count { $0.contains("is not destroyed") } == 1, "\(log.all)")
    }
}
