import Domain
import Processes
import Synchronization

/// What git has written and nobody has read yet: where its thread and a task meet.
final class GitOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var end: Result<Void, SourceError>?
        var isCancelled = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private enum Look {
        case bytes([UInt8])
        case end(Result<Void, SourceError>)
        case nothing
    }

    /// Git waits once this many bytes wait.
    static let window = 262_144

    private let state = Mutex(State())
    private let wakeUp: Pipe

    init() throws(SourceError) {
        do throws(SystemError) { wakeUp = try Pipe() } catch { throw SourceError(.unavailable, "\(error)") }
        wakeUp.reading.stopBlocking()
        wakeUp.writing.stopBlocking()
    }

    // MARK: The task's side

    func next() async throws(SourceError) -> [UInt8]? {
        while true {
            switch look() {
            case .bytes(let bytes): return bytes
            case .end(let end):
                try end.get()
                return nil
            case .nothing:
                await withTaskCancellationHandler {
                    await withCheckedContinuation { reader in
                        let isLate = state.withLock { state in
                            guard state.bytes.isEmpty, state.end == nil else { return true }
                            state.reader = reader
                            return false
                        }
                        if isLate { reader.resume() }
                    }
                } onCancel: {
                    cancel()
                }
            }
        }
    }

    /// Ends the process; its reader learns of it when it has ended.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        signal()
    }

    private func look() -> Look {
        let (look, wasFull): (Look, Bool) = state.withLock { state in
            guard state.bytes.isEmpty else {
                let bytes = state.bytes
                state.bytes = []
                return (.bytes(bytes), bytes.count >= Self.window)
            }
            return (state.end.map { .end($0) } ?? .nothing, false)
        }
        if wasFull { signal() }
        return look
    }

    private func signal() { _ = wakeUp.writing.write([1], from: 0) }

    // MARK: The thread's side

    /// Readable when the reader has made room or wants no more.
    var signalDescriptor: Int32 { wakeUp.reading.value }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var hasRoom: Bool { state.withLock { $0.bytes.count < Self.window } }

    func drainSignals() { _ = wakeUp.reading.read() }

    func append(_ bytes: [UInt8]) {
        let reader = state.withLock { state in
            state.bytes += bytes
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    func finish(_ end: Result<Void, SourceError>) {
        let reader = state.withLock { state in
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
