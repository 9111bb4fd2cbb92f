import Domain
import Glibc
import Processes

/// Moves bytes between git and the host until git has ended. Runs on an owned thread.
struct GitLoop {
    /// Of its complaints, for the operator.
    private static let complaintLimit = 2_048

    let command: GitCommand
    let child: GitChild
    let output: GitOutput

    /// - Throws: `SourceError` of code `unavailable` where git failed or had to be ended.
    func run() throws(SourceError) {
        let start = Monotonic.now
        let deadline = start + command.timeout
        var lastProgress = start
        var written = 0
        var complaint: [UInt8] = []
        if command.input.isEmpty { child.input.close() }
        while child.output.isOpen || child.errors.isOpen {
            let now = Monotonic.now
            let limit = min(deadline, lastProgress + command.patience)
            guard now < limit, !output.isCancelled else {
                child.kill()
                _ = child.reap(by: .zero)
                let reason = output.isCancelled ? "nobody wants it any more" : "it took too long"
                throw SourceError(.unavailable, "\(command.name) was ended: \(reason)")
            }
            let ready = wait(limit - now)
            if ready[0] { output.drainSignals() }
            if ready[1] {
                guard let count = child.input.write(command.input, from: written) else {
                    child.input.close()
                    continue
                }
                written += count
                if written == command.input.count { child.input.close() }
                lastProgress = Monotonic.now
            }
            if ready[2], let bytes = child.output.read() {
                if bytes.isEmpty { child.output.close() } else { output.append(bytes) }
                lastProgress = Monotonic.now
            }
            if ready[3], let bytes = child.errors.read() {
                if bytes.isEmpty { child.errors.close() }
                complaint += bytes.prefix(Self.complaintLimit - complaint.count)
            }
        }
        child.input.close()
        guard child.reap(by: deadline).isSuccess else {
            let text = String(decoding: complaint, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
            throw SourceError(.unavailable, "\(command.name) failed: \(text.isEmpty ? "without a word" : text)")
        }
    }

    /// Whether there is a signal, room for input, output, a complaint.
    private func wait(_ time: Duration) -> [Bool] {
        var requests = [
            pollfd(fd: output.signalDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: child.input.value, events: Int16(POLLOUT), revents: 0),
            // What nobody has room for stays with git.
            pollfd(fd: output.hasRoom ? child.output.value : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: child.errors.value, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&requests, nfds_t(requests.count), Int32(clamping: time.milliseconds + 1))
        return requests.map { $0.revents != 0 }
    }
}
