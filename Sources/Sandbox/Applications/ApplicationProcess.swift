import Processes
import Synchronization
import Threads

/// A running application: the runner and all below it.
///
/// Two threads live as long as it does: one starts the runner, which dies with that thread and so with this process,
/// and waits for its end; the other reads what it writes.
final class ApplicationProcess: Sendable {
    typealias OnLog = @Sendable (ApplicationLogStream, String) -> Void

    private static let keptLines = 15

    private struct State {
        /// nil once it has been waited for: the number may be another process's then.
        var process: ChildProcess?
        var status: Int32?
        var lines: [String] = []
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state: Mutex<State>
    private let onLog: OnLog
    private let onEnd: @Sendable (Int32) -> Void

    private init(_ process: ChildProcess, _ onLog: @escaping OnLog, _ onEnd: @escaping @Sendable (Int32) -> Void) {
        state = Mutex(State(process: process))
        self.onLog = onLog
        self.onEnd = onEnd
    }

    /// Starts a program, off the pool.
    ///
    /// - Parameters:
    ///   - environment: is written to its standard input, which then ends.
    ///   - onLog: its lines, from a thread of this process.
    ///   - onEnd: how it ended, once, after its last line.
    static func start(
        _ arguments: [String], environment: [UInt8], onLog: @escaping OnLog,
        onEnd: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async throws(ApplicationFailure) -> ApplicationProcess {
        let result: Result<ApplicationProcess, ApplicationFailure> = await withCheckedContinuation { continuation in
            do throws(OwnedThread.Unavailable) {
                try OwnedThread.startDetached(name: "app-process") {
                    supervise(arguments, environment, onLog, onEnd) { continuation.resume(returning: $0) }
                }
            } catch {
                continuation.resume(returning: .failure(ApplicationFailure(.deploy, error.description)))
            }
        }
        return try result.get()
    }

    /// How it ended, if it has.
    var status: Int32? { state.withLock(\.status) }

    /// The last lines that it wrote.
    var lastLines: [String] { state.withLock(\.lines) }

    /// Returns when it has ended and everything it wrote has been read: its exit status, or 128 and a signal's number.
    @discardableResult
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// SIGTERM asks the application to end, SIGQUIT has the runner end it; nothing once it has ended.
    func signal(_ signal: Int32) {
        state.withLock { $0.process?.signal(signal) }
    }
}

// MARK: - Its threads

extension ApplicationProcess {
    /// The first thread, for as long as the process lives.
    private static func supervise(
        _ arguments: [String], _ environment: [UInt8], _ onLog: @escaping OnLog,
        _ onEnd: @escaping @Sendable (Int32) -> Void,
        onStart: (Result<ApplicationProcess, ApplicationFailure>) -> Void
    ) {
        do throws(SystemError) {
            let streams = try ApplicationStreams()
            let runner = try streams.start(Program(searching: arguments))
            let process = ApplicationProcess(runner, onLog, onEnd)
            let reader: OwnedThread
            do throws(OwnedThread.Unavailable) {
                reader = try OwnedThread.start(name: "app-output") {
                    streams.read { process.add($1, to: $0) }
                }
            } catch {
                runner.kill()
                runner.wait()
                throw SystemError("a thread for its output", error.code)
            }
            streams.send(environment)
            onStart(.success(process))
            let status = process.waitForEnd(of: runner)
            streams.endReading()
            reader.join()
            process.finish(status.code)
        } catch {
            onStart(.failure(ApplicationFailure(.deploy, error.description)))
        }
    }

    private func waitForEnd(of runner: ChildProcess) -> ExitStatus {
        // The number stays its own until nobody can signal it any more.
        runner.waitUntilEnded()
        state.withLock { $0.process = nil }
        return runner.wait()
    }

    private func add(_ line: String, to stream: ApplicationLogStream) {
        state.withLock { state in
            if state.lines.count == Self.keptLines { state.lines.removeFirst() }
            state.lines.append(line)
        }
        onLog(stream, line)
    }

    private func finish(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        onEnd(status)
        for waiter in waiters { waiter.resume(returning: status) }
    }
}
