import Domain
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// A run's log lines as they become durable: first those that are stored, then each as it comes.
///
/// It looks when this host says that the run has something new, and once a second for what other hosts do; a look is
/// one query, however many lines it brings.
struct LogStream: Sendable {
    /// Lines of one look.
    static let pageLimit = 500
    /// Looks without a signal, in seconds.
    private static let period = Duration.seconds(1)
    /// In periods.
    private static let heartbeat = 15
    /// In periods; the client comes again with the last number it has, and with a key that is still valid.
    private static let lifetime = 3_600

    let reader: any ExecutionReader
    let signals: ExecutionSignals
    let timer: any Clock<Duration>
    let logger: Logger
    let execution: UUIDv7
    let user: UUIDv7
    /// Held for as long as the stream lasts.
    let place: StreamPlaces.Place

    /// Periods gone by.
    private final class Periods: Sendable {
        private let count = Atomic(0)
        var gone: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }

    /// Writes until the run is over, the client has gone, or the server stops. All that it starts has ended then.
    ///
    /// - Parameter page: what was read before it was certain that there is such an execution.
    /// - Throws: where the connection fails.
    func write(from page: LogPage, to writer: inout any ResponseBodyWriter, on channel: any Channel) async throws {
        let (wakeUps, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let watching = await ClientWatch.begin(
            on: channel, .init(onGone: { wakeUp.finish() }, onShutdown: { wakeUp.finish() }))
        defer { watching.end() }
        // From here on nothing is missed: the look that follows sees what came before.
        let changes = signals.changes(of: execution)
        let periods = Periods()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { wakeUp.yield() } }
            group.addTask { [timer] in
                while (try? await timer.sleep(for: Self.period)) != nil {
                    periods.add()
                    wakeUp.yield()
                }
            }
            wakeUp.yield()
            try await pump(page, wakeUps, periods, &writer)
            group.cancelAll()
        }
    }

    private func pump(
        _ first: LogPage, _ wakeUps: AsyncStream<Void>, _ periods: Periods, _ writer: inout any ResponseBodyWriter
    ) async throws {
        var opening = ByteBuffer(string: ServerSentEvents.preamble)
        ServerSentEvents.append(first, to: &opening)
        try await writer.write(opening)
        var after = first.lastSequence
        var lastWrite = 0
        for await _ in wakeUps {
            let now = periods.gone
            guard now < Self.lifetime else { return }
            var look: Look
            repeat {
                look = await self.look(after: after, asksForState: first.state == nil)
                // A new one each time: what one page needed must not stay for as long as the stream does.
                var buffer = ByteBuffer()
                if case .page(let page, _) = look {
                    ServerSentEvents.append(page, to: &buffer)
                    after = page.lastSequence
                }
                if case .page(_, let end?) = look { buffer.writeString(ServerSentEvents.end(end)) }
                if buffer.readableBytes == 0, now - lastWrite >= Self.heartbeat {
                    buffer.writeString(ServerSentEvents.heartbeat)
                }
                if buffer.readableBytes > 0 {
                    try await writer.write(buffer)
                    lastWrite = now
                }
                if look.isLast { return }
            } while look.hasMore
        }
    }

    private enum Look {
        /// With the run's state where it is over and this is the last page.
        case page(LogPage, end: ExecutionState?)
        /// Cannot be read now.
        case nothing
        /// The user has no such execution any more.
        case absent

        var hasMore: Bool { if case .page(let page, nil) = self { page.hasMore } else { false } }
        var isLast: Bool {
            switch self {
            case .page(_, let end): end != nil
            case .nothing: false
            case .absent: true
            }
        }
    }

    /// - Parameter asksForState: where the reader's pages do not tell the run's state.
    private func look(after: Int64, asksForState: Bool) async -> Look {
        do throws(LedgerError) {
            // Before the page: what is over by now has all its lines in it.
            let earlier = asksForState ? try await state() : nil
            guard let page = try await reader.logs(execution, of: user, after: after, limit: Self.pageLimit) else {
                return .absent
            }
            let state = page.state ?? earlier
            return .page(page, end: page.hasMore ? nil : state.flatMap { $0.isFinal ? $0 : nil })
        } catch {
            // The next period looks again.
            logger.debug("a log stream could not be read", metadata: ["error": "\(error)"])
            return .nothing
        }
    }

    private func state() async throws(LedgerError) -> ExecutionState? {
        let text = try await reader.execution(execution, of: user)
        let json = text.flatMap { try? JSON.parse($0) }
        return json?["status"]?.stringValue.flatMap { ExecutionState(rawValue: $0) }
    }
}
