import CLibpq
import Glibc

/// A thread outside Swift's cooperative pool, for C that blocks.
enum OwnedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread. It ends when `body` returns.
    ///
    /// - Parameter name: shown by `top -H` and debuggers; at most 15 bytes.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(DatabaseError) {
        let named = Body {
            unsafe aib_name_thread(name)
            body()
        }
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(named)
        let failure = unsafe pthread_create(
            &thread, nil,
            { context in
                // The box was retained for this thread alone, just above.
                if let context = unsafe context { unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        guard failure == 0 else {
            unsafe box.release()
            throw .system("pthread_create", failure)
        }
        pthread_detach(thread)
    }
}
