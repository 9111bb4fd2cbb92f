import Domain
import Synchronization
import Threads

/// A git under way, on a thread of its own; what it writes is read with `next`.
///
/// At most `window` bytes wait to be read; git waits when they are there. The process and its own children are killed
/// when a limit is passed, when the reading task is cancelled, and when nobody holds this any more.
final class GitProcess: SourceStream {
    /// What must live, or be kept busy, until the process has ended.
    typealias Holding = any AnyObject & Sendable

    private let output: GitOutput

    /// - Parameters:
    ///   - prepare: runs first, on the process's thread: may block. Answers whether git is to be run at all.
    ///   - conclude: runs on the same thread when git has ended well.
    init(
        _ command: GitCommand, with git: GitExecutable, home: String, holding: [Holding],
        prepare: @escaping @Sendable () throws(SourceError) -> Bool = { true },
        conclude: @escaping @Sendable () throws(SourceError) -> Void = {}
    ) throws(SourceError) {
        let output = try GitOutput()
        self.output = output
        do {
            try OwnedThread.startDetached(name: "git") {
                let end = withExtendedLifetime(holding) {
                    Result { () throws(SourceError) in
                        guard try prepare() else { return }
                        let child = try GitChild(command, with: git, home: home)
                        try GitLoop(command: command, child: child, output: output).run()
                        try conclude()
                    }
                }
                output.finish(end)
            }
        } catch {
            throw SourceError(.unavailable, "\(error)")
        }
    }

    deinit { output.cancel() }

    func next() async throws(SourceError) -> [UInt8]? { try await output.next() }

    func cancel() { output.cancel() }

    /// Everything it writes.
    ///
    /// - Throws: `SourceError` of code `unavailable` where that is more than `limit` bytes.
    func collect(limit: Int) async throws(SourceError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try await next() {
            guard bytes.count + chunk.count <= limit else {
                throw SourceError(.unavailable, "git wrote more than \(limit) bytes")
            }
            bytes += chunk
        }
        return bytes
    }
}
