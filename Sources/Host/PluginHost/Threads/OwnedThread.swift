import Glibc

/// Starts threads that belong to this module: foreign code and timers never run on the cooperative pool.
enum OwnedThread {
    struct NoThread: Error { let reason: String }

    fileprivate final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread that ends with its body and is never joined.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(NoThread) {
        let code = unsafe spawn(Unmanaged.passRetained(Body(name: name, run: body)).toOpaque())
        if code != 0 { throw NoThread(reason: systemMessage(code)) }
    }

    private static func spawn(_ context: UnsafeMutableRawPointer) -> Int32 {
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, nil, runOwnedThread, context)
        guard code == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            return code
        }
        return pthread_detach(thread)
    }
}

private func runOwnedThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let body = unsafe Unmanaged<OwnedThread.Body>.fromOpaque(context).takeRetainedValue()
    // Signals sent to the process belong to its other threads.
    var all = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    // The name shows in `top -H` and in debuggers; the kernel keeps 15 bytes.
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    if file >= 0 {
        let name = Array(body.name.utf8.prefix(15))
        _ = unsafe write(file, name, name.count)
        close(file)
    }
    body.run()
    return nil
}
