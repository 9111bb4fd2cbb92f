import CSpawn
import Domain
import Glibc

/// A started git with its three pipes. It leads a process group of its own, so that it ends with its own children.
struct GitChild {
    let pid: pid_t
    let input: Descriptor
    let output: Descriptor
    let errors: Descriptor

    init(_ command: GitCommand, with git: GitExecutable, home: String) throws(SourceError) {
        let pipes = [try Pipe(), try Pipe(), try Pipe()]
        (input, output, errors) = (pipes[0].writing, pipes[1].reading, pipes[2].reading)
        for descriptor in [input, output, errors] { descriptor.stopBlocking() }
        var pid: pid_t = 0
        // The child's ends close with their pipes: not before the child has them.
        let code = withExtendedLifetime(pipes) {
            Self.spawn(
                [git.path] + command.arguments, git.environment(home: home, version: command.version),
                in: command.repository,
                descriptors: [pipes[0].reading.value, pipes[1].writing.value, pipes[2].writing.value], &pid)
        }
        guard code == 0 else { throw .system(command.name, code) }
        self.pid = pid
    }

    /// Kills it with its own children. Only before it was reaped: then the number is another's.
    func kill() { _ = Glibc.kill(-pid, SIGKILL) }

    /// Waits for its end, and kills it at the deadline.
    ///
    /// - Returns: its exit status; nil where a signal ended it.
    func reap(by deadline: Duration) -> Int32? {
        var status: Int32 = 0
        var pause: Int32 = 0
        var isKilled = false
        while true {
            let answer = unsafe waitpid(pid, &status, isKilled ? 0 : WNOHANG)
            if answer == pid { break }
            if answer < 0, errno != EINTR { return nil }
            if Monotonic.now >= deadline, !isKilled {
                kill()
                isKilled = true
            } else if !isKilled {
                // It has closed everything it writes to: it is about to end.
                _ = poll(nil, 0, pause)
                pause = min(20, pause + 1)
            }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String], in directory: String, descriptors: [Int32],
        _ pid: inout pid_t
    ) -> Int32 {
        unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe aib_spawn_program(arguments, environment, directory, descriptors, &pid)
            }
        }
    }

    /// Lends C an array of strings with a null at its end.
    private static func withCStrings(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Int32
    ) -> Int32 {
        let copies = unsafe strings.map { unsafe UnsafePointer(strdup($0)) } + [nil]
        defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        return unsafe copies.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return EINVAL }
            return unsafe body(base)
        }
    }
}

/// Time that does not jump, since any fixed moment.
enum Monotonic {
    static var now: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
