import CLibpq
import Domain
import Glibc

/// A running postmaster, ours by birth or by adoption.
struct ServerProcess {
    let pid: pid_t
    private let isChild: Bool
    /// Readable when the process has ended.
    private let descriptor: Int32

    /// nil where the process has ended already.
    init?(pid: pid_t, isChild: Bool) {
        descriptor = aib_pidfd_open(pid)
        guard descriptor >= 0 else { return nil }
        self.pid = pid
        self.isChild = isChild
    }

    /// The postmaster that the pid file names, if it really serves this data directory: after a crash the number
    /// may be another process's.
    init?(servingDataOf layout: ClusterLayout) {
        guard let text = FileSystem.text(layout.pidFile), let pid = pid_t(text.prefix { $0.isNumber }),
            let program = FileSystem.linkTarget("/proc/\(pid)/exe"), program.contains("/postgres"),
            FileSystem.linkTarget("/proc/\(pid)/cwd") == layout.data
        else { return nil }
        self.init(pid: pid, isChild: false)
    }

    /// Whether another living host started it, and will stop it.
    var belongsToAnotherHost: Bool {
        guard !isChild, let status = FileSystem.text("/proc/\(pid)/stat"),
            // "pid (name) state ppid …", where the name may hold anything.
            let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 1,
            let parent = FileSystem.linkTarget("/proc/\(fields[1])/exe")
        else { return false }
        return parent == FileSystem.linkTarget("/proc/self/exe")
    }

    /// Waits for the process to end; false after the timeout, or once `interruption` is signalled.
    func waitForEnd(_ timeout: Duration, interruption: EventCounter? = nil) -> Bool {
        var requests = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let interruption { requests.append(pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0)) }
        _ = unsafe poll(&requests, nfds_t(requests.count), Int32(clamping: timeout.milliseconds))
        return requests[0].revents != 0
    }

    /// Fast shutdown: sessions are ended, everything is written. What does not obey is stopped harder.
    func shutDown() {
        for (signal, patience) in [(SIGINT, 15), (SIGQUIT, 5), (SIGKILL, 5)] {
            _ = kill(pid, signal)
            if waitForEnd(.seconds(patience)) { return }
        }
    }

    /// Frees the descriptor of a server that nobody watches.
    func release() { close(descriptor) }

    /// Frees the descriptor and, for a child, its entry in the process table. Once, after the end.
    func reap() {
        close(descriptor)
        if isChild { _ = waitpid(pid, nil, WNOHANG) }
    }
}
