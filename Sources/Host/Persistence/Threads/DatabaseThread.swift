import Threads

/// Threads of this module, with its error.
enum DatabaseThread {
    /// Starts a thread that ends when `body` returns; nobody waits for it.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(DatabaseError) {
        do { try OwnedThread.startDetached(name: name, body) } catch { throw .system("pthread_create", error.code) }
    }
}
