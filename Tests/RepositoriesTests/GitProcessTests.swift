import Domain
import Glibc
import Testing

@testable import Repositories

@Suite struct GitProcessTests {
    private func process(
        _ script: String, input: [UInt8] = [], timeout: Duration = .seconds(60), patience: Duration = .seconds(60),
        holding: [GitProcess.Holding] = []
    ) throws -> GitProcess {
        try GitProcess(
            Workshop.command(["fetch"], in: "/tmp", input: input, timeout: timeout, patience: patience),
            with: Workshop.script(script), home: "/nowhere", holding: holding)
    }

    /// Kept busy until the last reference is gone.
    private final class Token: Sendable {
        private let end: @Sendable () -> Void
        init(_ end: @escaping @Sendable () -> Void) { self.end = end }
        deinit { end() }
    }

    @Test func `input goes in and output comes out, however much`() async throws {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await process("exec cat", input: input).collect(limit: 4_000_000) == input)
    }

    @Test func `its surroundings are its own`() async throws {
        let text = try await process("env | cut -d= -f1 | sort | tr '\\n' ' '; pwd; ls /proc/self/fd | wc -l")
            .collect(limit: 10_000)
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(
            lines.first
                == """
                GIT_ATTR_NOSYSTEM GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_DIR GIT_TERMINAL_PROMPT HOME LC_ALL PATH \
                PWD XDG_CONFIG_HOME /tmp
                """)
        // Standard input, output, error, and what `ls` opens.
        #expect(lines.last.flatMap { Int($0) } == 4)
    }

    @Test func `input that nobody reads is no error`() async throws {
        let input = [UInt8](repeating: 0, count: 1_000_000)
        #expect(try await process("echo done", input: input).collect(limit: 100) == Array("done\n".utf8))
    }

    @Test func `a failure says what git said`() async throws {
        let process = try process("echo 'fatal: no' >&2; echo 'more' >&2; exit 3")
        let error = await refusal { _ = try await process.collect(limit: 100) }
        #expect(error?.message == "git fetch failed: fatal: no; more")
    }

    @Test func `a program that is not there is said so`() async throws {
        let process = try GitProcess(
            Workshop.command(["fetch"], in: "/tmp"), with: GitExecutable(path: "/nowhere/git"), home: "/", holding: [])
        let error = await refusal { _ = try await process.collect(limit: 100) }
        #expect(error?.message == "git fetch: No such file or directory")
    }

    @Test(arguments: ["sleep 1000", "sleep 1000 & wait", "trap '' TERM; sleep 1000", "exec >&- 2>&-; sleep 1000"])
    func `what takes too long is killed with its children`(script: String) async throws {
        let process = try process(script, timeout: .milliseconds(50))
        let error = await refusal { _ = try await process.collect(limit: 100) }
        #expect(error?.code == .unavailable)
    }

    @Test func `a reader that stops reading is waited for only so long`() async throws {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let process = try process(
            "exec cat /dev/zero", patience: .milliseconds(50), holding: [Token { end.finish() }])
        #expect(try await process.next()?.isEmpty == false)
        for await _ in ended {}
        let error = await refusal { while try await process.next() != nil {} }
        #expect(error?.message == "git fetch was ended: it took too long")
    }

    @Test func `git waits for its reader`() async throws {
        let process = try process("exec cat /dev/zero")
        var total = 0
        while total < 3 * GitOutput.window {
            let count = try #require(try await process.next()).count
            // What fits, and the read that was under way.
            #expect(count <= GitOutput.window + 65_536)
            total += count
        }
    }

    @Test func `letting go of a process ends it`() async throws {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        do {
            let process = try process("exec cat /dev/zero", holding: [Token { end.finish() }])
            _ = try await process.next()
        }
        for await _ in ended {}
    }

    @Test func `cancelling its reader ends it`() async throws {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let process = try process("exec sleep 1000", holding: [Token { end.finish() }])
        let reading = Task { await refusal { _ = try await process.next() } }
        reading.cancel()
        #expect(await reading.value?.message == "git fetch was ended: nobody wants it any more")
        for await _ in ended {}
    }

    @Test func `a limit on output holds`() async throws {
        let process = try process("exec cat /dev/zero")
        let error = await refusal { _ = try await process.collect(limit: 100_000) }
        #expect(error?.message == "git wrote more than 100000 bytes")
    }

    @Test func `only so many run at once, and only so many wait`() async throws {
        let slots = ProcessSlots(limit: 1, maximumWaiting: 1)
        var slot: ProcessSlots.Slot? = try await slots.take()
        let waiting = Task { try await slots.take() }
        while slots.waiting == 0 { await Task.yield() }
        #expect(await refusal { _ = try await slots.take() }?.message == "too many wait for git")
        _ = slot
        slot = nil
        let heir = try await waiting.value
        let cancelled = Task { await refusal { _ = try await slots.take() } }
        while slots.waiting == 0 { await Task.yield() }
        cancelled.cancel()
        #expect(await cancelled.value?.message == "the request was given up")
        withExtendedLifetime(heir) {}
    }
}
