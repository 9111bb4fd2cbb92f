import Domain
import Glibc
import Processes

/// A running postmaster, ours by birth or by adoption.
struct ServerProcess {
    let pid: pid_t
    /// nil where another process started it.
    private let child: ChildProcess?
    private let watch: ProcessWatch

    /// - Throws: where it cannot be watched.
    init(_ child: ChildProcess) throws(SystemError) {
        watch = try ProcessWatch(child.id)
        pid = child.id
        self.child = child
    }

    /// The postmaster that the pid file names, if it really serves this data directory: after a crash the number
    /// may be another process's. nil too where it has ended.
    init?(servingDataOf layout: ClusterLayout) {
        guard let text = FileSystem.text(layout.pidFile), let pid = pid_t(text.prefix { $0.isNumber }),
            let program = FileSystem.linkTarget("/proc/\(pid)/exe"), program.contains("/postgres"),
            FileSystem.linkTarget("/proc/\(pid)/cwd") == layout.data, let watch = try? ProcessWatch(pid)
        else { return nil }
        self.pid = pid
        self.watch = watch
        child = nil
    }

    /// Whether another living host started it, and will stop it.
    var belongsToAnotherHost: Bool {
        guard child == nil, let status = FileSystem.text("/proc/\(pid)/stat"),
            // "pid (name) state ppid …", where the name may hold anything.
            let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 1,
            let parent = FileSystem.linkTarget("/proc/\(fields[1])/exe")
        else { return false }
        return parent == FileSystem.linkTarget("/proc/self/exe")
    }

    /// Waits for the process to end; false after the timeout, or once `interruption` is signalled.
    func waitForEnd(_ timeout: Duration, interruption: EventCounter? = nil) -> Bool {
        watch.waitForEnd(within: timeout, interruption: interruption?.descriptor ?? -1)
    }

    /// Fast shutdown: sessions are ended, everything is written. What does not obey is stopped harder.
    func shutDown() {
        for (signal, patience) in [(SIGINT, 15), (SIGQUIT, 5), (SIGKILL, 5)] {
            _ = kill(pid, signal)
            if waitForEnd(.seconds(patience)) { return }
        }
    }

    /// Frees a child's entry in the process table. Once, after the end.
    func reap() { child?.wait() }
}
