import CLibpq
import Glibc

/// A Linux eventfd: a counter that threads wait on, closed with its last reference.
final class EventCounter: Sendable {
    enum Kind {
        /// `wait` takes one and blocks at zero.
        case semaphore
        /// `drain` takes all and never blocks: for a thread that waits with epoll or poll.
        case signal
    }

    let descriptor: Int32

    init(_ kind: Kind) throws(DatabaseError) {
        descriptor = aib_eventfd(kind == .semaphore ? 1 : 0)
        guard descriptor >= 0 else { throw .system("eventfd", errno) }
    }

    deinit { close(descriptor) }

    func add(_ count: UInt64 = 1) {
        var value = count
        _ = unsafe write(descriptor, &value, 8)
    }

    func wait() {
        var value: UInt64 = 0
        while unsafe read(descriptor, &value, 8) < 0, errno == EINTR {}
    }

    func drain() {
        var value: UInt64 = 0
        _ = unsafe read(descriptor, &value, 8)
    }
}
