import CLibcurl
import Glibc

/// The owner of an epoll instance. Safe: the kernel copies each event, no pointer is kept.
@safe struct Poller: ~Copyable {
    struct Event {
        let descriptor: Int32
        let isReadable: Bool
        let isWritable: Bool
        let isFailed: Bool
    }

    private let descriptor: Int32
    private var watched: Set<Int32> = []
    private var ready = unsafe [epoll_event](repeating: epoll_event(), count: 256)

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(descriptor >= 0, "cannot create an epoll instance: errno \(errno); raise the limit on open files")
    }

    deinit { _ = Glibc.close(descriptor) }

    /// False where the kernel does not take the socket, for want of memory or of watches (`EPOLL_MAX_USER_WATCHES`).
    mutating func watch(_ socket: Int32, readable: Bool, writable: Bool) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events = (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0)
        unsafe event.data.fd = socket
        if !watched.insert(socket).inserted, unsafe epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event) == 0 {
            return true
        }
        // A number that was closed and given out again is no longer known to the kernel.
        guard unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event) != 0 else { return true }
        watched.remove(socket)
        return false
    }

    mutating func forget(_ socket: Int32) {
        guard watched.remove(socket) != nil else { return }
        // Fails where the socket is closed already, which has the same effect.
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
    }

    /// Waits for events, at most `milliseconds` (-1: for ever).
    mutating func wait(milliseconds: Int32) -> [Event] {
        let count = unsafe ready.withUnsafeMutableBufferPointer { buffer in
            unsafe epoll_wait(descriptor, buffer.baseAddress, Int32(buffer.count), milliseconds)
        }
        return unsafe ready.prefix(max(0, Int(count))).map { event in
            unsafe Event(
                descriptor: unsafe event.data.fd, isReadable: event.events & EPOLLIN.rawValue != 0,
                isWritable: event.events & EPOLLOUT.rawValue != 0,
                isFailed: event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0)
        }
    }
}
