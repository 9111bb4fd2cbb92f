import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// How many connections there are, and how many there may be.
final class ConnectionCount: Sendable {
    let limit: Int
    private let open = Atomic(0)
    private let refusals: PrometheusCounter

    init(limit: Int, registry: PrometheusRegistry) {
        self.limit = limit
        refusals = registry.counter("http_connections_refused_total", [])
    }

    /// Connections that stand, those that are about to be refused among them.
    var current: Int { open.load(ordering: .relaxed) }

    /// Counts one more; answers whether there is room for it.
    func opened() -> Bool {
        let hasRoom = open.add(1, ordering: .relaxed).newValue <= limit
        if !hasRoom { refusals.increment(by: 1.0) }
        return hasRoom
    }

    func closed() { open.subtract(1, ordering: .relaxed) }
}

/// Refuses a connection for which there is no room: its first request is answered at once, and it is closed. To leave
/// it in the kernel's queue would tell its client nothing.
final class ConnectionLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    /// How long a connection that is refused may take to send what is answered.
    private static let patience = TimeAmount.seconds(5)

    private enum State {
        case new
        case admitted
        /// Becomes `closing` with its first request.
        case refused(Scheduled<Void>)
        case closing
    }

    private let count: ConnectionCount
    private var state = State.new

    init(_ count: ConnectionCount) { self.count = count }

    func handlerAdded(context: ChannelHandlerContext) {
        let count = count
        context.channel.closeFuture.whenComplete { _ in count.closed() }
        guard !count.opened() else { return state = .admitted }
        let channel = context.channel
        state = .refused(context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) })
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.refused(let timer), .head(let request)):
            timer.cancel()
            state = .closing
            Problem(
                .overloaded, "The server has \(count.limit) connections, as many as it may; try again shortly.",
                headers: [.retryAfter: "1"]
            ).answer(request, on: context)
        case (.refused, _), (.closing, _): break
        case (.new, _), (.admitted, _): context.fireChannelRead(data)
        }
    }
}
