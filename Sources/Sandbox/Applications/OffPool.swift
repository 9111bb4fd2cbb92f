import Threads

/// Runs what blocks for a while (files, child processes) on a thread of its own, not on the cooperative pool.
enum OffPool {
    static func run<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws(ApplicationFailure) -> Value
    ) async throws(ApplicationFailure) -> Value {
        let result: Result<Value, ApplicationFailure> = await withCheckedContinuation { continuation in
            do throws(OwnedThread.Unavailable) {
                try OwnedThread.startDetached(name: name) {
                    let result: Result<Value, ApplicationFailure>
                    do throws(ApplicationFailure) { result = .success(try body()) } catch { result = .failure(error) }
                    continuation.resume(returning: result)
                }
            } catch {
                continuation.resume(returning: .failure(ApplicationFailure(.deploy, error.description)))
            }
        }
        return try result.get()
    }
}
