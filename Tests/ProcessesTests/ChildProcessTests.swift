import Glibc
import Processes
import Testing

/// Programs that really run. They block, each for a moment: a few at a time.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ChildProcessTests {
    /// Runs a shell's script to its end; gives how it ended and what it wrote.
    private func run(_ script: String, in directory: String = "/") throws -> (
        status: Processes.ExitStatus, output: String
    ) {
        let pipe = try Pipe()
        let input = Descriptor(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        let child = try ChildProcess(
            Program(["/bin/sh", "-c", script], environment: ["WORD=given", "PATH=/usr/bin:/bin"], in: directory),
            input: input.value, output: pipe.writing.value, errors: pipe.writing.value)
        pipe.writing.close()
        var bytes: [UInt8] = []
        while let chunk = pipe.reading.read(), !chunk.isEmpty { bytes += chunk }
        return (child.wait(), String(decoding: bytes, as: UTF8.self))
    }

    @Test func `a program has its arguments, its environment and its directory`() throws {
        let (status, output) = try run("pwd; echo $WORD; env | grep -c =; exit 3", in: "/usr")
        #expect(status == .exited(3))
        // The shell adds PWD, and dash nothing else.
        #expect(output.split(separator: "\n").prefix(2) == ["/usr", "given"])
        #expect(!output.contains("HOME"))
    }

    @Test func `it inherits no descriptor, whatever was opened without care`() throws {
        let careless = unsafe open("/dev/null", O_RDONLY)
        defer { close(careless) }
        let (status, output) = try run("ls /proc/self/fd")
        #expect(status.isSuccess)
        // The fourth is the one through which the folder is read.
        #expect(output.split(separator: "\n").count == 4, "\(output)")
    }

    @Test func `it leads a session of its own`() throws {
        let (_, output) = try run("echo $$; cut -d' ' -f5,6 /proc/$$/stat")
        let words = output.split(whereSeparator: \.isWhitespace)
        #expect(words.count == 3 && Set(words).count == 1, "\(output)")
    }

    @Test func `a signal is told from an exit, as shells tell it`() throws {
        let (status, _) = try run("kill -TERM $$")
        #expect(status == .signalled(SIGTERM))
        #expect(status.code == 143)
        #expect(!status.isSuccess)
        #expect(Processes.ExitStatus.exited(2).code == 2)
    }

    @Test func `a program that is not there says so`() {
        let error = #expect(throws: SystemError.self) {
            _ = try ChildProcess(Program(["/nowhere/at-all"], environment: []), input: 0, output: 1, errors: 2)
        }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("/nowhere/at-all could not be started") == true)
    }

    @Test func `killing it takes its own children along`() throws {
        let pipe = try Pipe()
        let input = Descriptor(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        let child = try ChildProcess(
            Program(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], environment: ["PATH=/usr/bin:/bin"]),
            input: input.value, output: pipe.writing.value, errors: input.value)
        pipe.writing.close()
        let grandchild = try #require(pid_t(String(decoding: pipe.reading.read() ?? [], as: UTF8.self).dropLast()))
        let watch = try ProcessWatch(grandchild)
        child.kill()
        #expect(watch.waitForEnd(within: .seconds(30)))
        #expect(child.wait() == .signalled(SIGKILL))
    }

    @Test func `its end is heard of, and its number stays its own until it was waited for`() throws {
        let input = try Pipe()
        let silence = Descriptor(unsafe open("/dev/null", O_WRONLY | O_CLOEXEC))
        let child = try ChildProcess(
            Program(["/bin/cat"], environment: []), input: input.reading.value, output: silence.value,
            errors: silence.value)
        let watch = try ProcessWatch(child.id)
        #expect(!watch.waitForEnd(within: .zero))
        let wake = try Pipe()
        _ = wake.writing.write([1], from: 0)
        #expect(!watch.waitForEnd(within: .seconds(60), interruption: wake.reading.value), "interrupted")
        input.writing.close()
        child.waitUntilEnded()
        #expect(watch.waitForEnd(within: .seconds(60)))
        #expect(kill(child.id, 0) == 0, "not reaped yet")
        #expect(child.wait() == .exited(0))
        #expect(child.wait() == .unknown, "waited for already")
        #expect(throws: SystemError.self) { try ProcessWatch(child.id) }
    }
}
