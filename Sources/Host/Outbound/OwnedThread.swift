import CLibcurl
import Glibc

/// A POSIX thread with one body. Whoever holds it joins or detaches it, once.
struct OwnedThread: Sendable {
    private let id: pthread_t

    /// - Parameter name: at most 15 bytes, as the kernel shows it.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) -> OwnedThread {
        let context = unsafe Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
        var id = pthread_t()
        let code = unsafe pthread_create(
            &id, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                // Signals belong to the process's other threads; a write to a closed socket answers EPIPE instead.
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                unsafe aib_name_thread(body.name)
                body.run()
                return nil
            }, context)
        precondition(code == 0, "cannot start the thread \(name): error \(code); raise the limit on threads")
        return OwnedThread(id: id)
    }

    func join() { _ = pthread_join(id, nil) }
    func detach() { _ = pthread_detach(id) }

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }
}
