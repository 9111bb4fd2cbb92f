import Glibc

/// A POSIX thread with one body, for what must not run on Swift's cooperative pool: C that blocks, event loops,
/// foreign code. Whoever holds it joins or detaches it, once.
public struct OwnedThread: Sendable {
    /// The system gives no more threads.
    public struct Unavailable: Error, CustomStringConvertible {
        public let name: String
        /// The error number of `pthread_create`.
        public let code: Int32

        public var description: String {
            let reason = unsafe String(cString: strerror(code))
            return "the thread \(name) cannot be started: \(reason); raise the limit on threads"
        }
    }

    private let id: pthread_t

    /// Starts a thread that ends when `body` returns. Signals sent to the process are left to its other threads; those
    /// that the thread's own faults raise reach their handlers.
    ///
    /// - Parameter name: shown by `top -H` and debuggers; the kernel keeps 15 bytes.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(Unavailable) -> OwnedThread {
        var id = pthread_t()
        let context = unsafe Unmanaged.passRetained(Body(name: name, run: body))
        let code = unsafe pthread_create(&id, nil, runBody, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            throw Unavailable(name: name, code: code)
        }
        return OwnedThread(id: id)
    }

    /// Starts a thread that nobody waits for.
    public static func startDetached(name: String, _ body: @escaping @Sendable () -> Void) throws(Unavailable) {
        try start(name: name, body).detach()
    }

    /// Blocks until the thread has ended.
    public func join() { _ = pthread_join(id, nil) }

    /// Lets the thread end by itself.
    public func detach() { _ = pthread_detach(id) }
}

private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

// A named function: Swift 6.3.1 crashes on a closure here where the body is captured.
private func runBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
    var all = sigset_t()
    unsafe sigfillset(&all)
    // A fault whose signal is blocked kills the process without its handler: no backtrace, no message.
    for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT] { unsafe sigdelset(&all, fault) }
    unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    if file >= 0 {
        let name = Array(body.name.utf8.prefix(15))
        _ = unsafe write(file, name, name.count)
        close(file)
    }
    body.run()
    return nil
}
