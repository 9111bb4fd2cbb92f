import CSpawn
public import Glibc

/// Hears of a process's end, be it a child or not.
public struct ProcessWatch: Sendable {
    /// Readable when the process has ended.
    private let descriptor: Descriptor

    /// - Throws: where the process has ended and was waited for, or the system gives no descriptor.
    public init(_ id: pid_t) throws(SystemError) {
        let number = aib_pidfd_open(id)
        guard number >= 0 else { throw SystemError("process \(id) cannot be watched", errno) }
        descriptor = Descriptor(number)
    }

    /// Blocks until the process has ended; false after the timeout, or once `interruption` is readable.
    ///
    /// - Parameter interruption: a descriptor; -1 for none.
    public func waitForEnd(within timeout: Duration, interruption: Int32 = -1) -> Bool {
        let (seconds, attoseconds) = max(.zero, timeout).components
        // Rounded up: waking early would only wait again.
        let milliseconds = min(seconds, 1_000_000) * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        var requests = [descriptor.value, interruption].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while unsafe poll(&requests, nfds_t(requests.count), Int32(clamping: milliseconds)) < 0, errno == EINTR {}
        return requests[0].revents != 0
    }
}
