import Glibc

/// Keeps a descriptor from the processes that tests start.
func closeOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

/// Holds blocking server threads until the test opens it; it stays open.
final class Gate: Sendable {
    private let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [0, 0]
        let code = unsafe pipe(&ends)
        precondition(code == 0)
        ends.forEach(closeOnExec)
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func open() {
        var byte: UInt8 = 1
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// False where nobody opened it within ten seconds, which only a broken test lets happen.
    @discardableResult
    func wait() -> Bool {
        var watched = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 10_000) == 1
    }
}
