import Domain

/// Why a write is not durable.
enum WriteStop: Error {
    /// The database refuses its content for good.
    case refused(LedgerError)
    case interrupted(RunInterruption)
}

extension EngineServices {
    /// Repeats a write until the database has taken or refused it, or the run is no longer this host's.
    func durably<Value>(
        under lease: WorkerLease, _ write: () async throws(LedgerError) -> Value
    ) async throws(WriteStop) -> Value {
        var delay = Duration.milliseconds(50)
        while true {
            do { return try await write() } catch {
                guard error.code == .unavailable || error.code == .overloaded else { throw .refused(error) }
                do { try await clock.sleep(delay) } catch { throw .interrupted(.stopped) }
                do { try await lease.wait(by: clock) } catch { throw .interrupted(error) }
                delay = min(delay * 2, .seconds(2))
            }
        }
    }
}
