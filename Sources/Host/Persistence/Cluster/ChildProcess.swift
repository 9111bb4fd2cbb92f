import CLibpq
import Glibc

/// Starting programs. Call it on an owned thread: it blocks, and a child with a parent-death signal dies with the
/// thread that started it.
enum ChildProcess {
    /// Longer outputs are cut off: they are for messages.
    private static let outputLimit = 262_144
    private static let environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
    ]

    /// Starts a program in a process group of its own, so that a terminal's interrupt reaches the host alone.
    static func start(_ arguments: [String], input: String = "/dev/null", output: Int32) throws(ClusterError) -> pid_t {
        var pid: pid_t = 0
        let failure = unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe aib_spawn(arguments, environment, input, output, &pid)
            }
        }
        guard failure == 0 else {
            throw ClusterError(.startup, "\(arguments[0]) could not be started: \(systemErrorText(failure))")
        }
        return pid
    }

    /// Runs a program to its end. Answers its exit status (-1 when a signal ended it) and what it wrote.
    static func run(
        _ arguments: [String], input: String = "/dev/null"
    ) throws(ClusterError) -> (status: Int32, output: String) {
        var ends: [Int32] = [-1, -1]
        guard unsafe aib_pipe(&ends) == 0 else {
            throw ClusterError(.startup, "pipe failed: \(systemErrorText(errno))")
        }
        defer { close(ends[0]) }
        let pid: pid_t
        do throws(ClusterError) {
            pid = try start(arguments, input: input, output: ends[1])
            close(ends[1])
        } catch {
            close(ends[1])
            throw error
        }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe read(ends[0], &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            if output.count < outputLimit { output += chunk[..<count] }
        }
        return (wait(pid), String(decoding: output, as: UTF8.self))
    }

    private static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return -1 }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }
}
