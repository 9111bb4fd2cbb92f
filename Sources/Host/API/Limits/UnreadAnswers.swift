import NIOCore
import NIOHTTPTypes
import Synchronization

/// Bytes of answers that clients have not taken yet: what slow readers cost this host, and a bound for it.
final class UnreadAnswers: Sendable {
    private let limit: Int
    private let bytes = Atomic(0)

    init(limit: Int) { self.limit = limit }

    var current: Int { bytes.load(ordering: .relaxed) }
    var isFull: Bool { current >= limit }

    fileprivate func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
    fileprivate func subtract(_ count: Int) { bytes.subtract(count, ordering: .relaxed) }
}

/// Counts what is written to one connection until its socket has taken it, or has gone.
final class UnreadAnswersOfConnection: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let unread: UnreadAnswers

    init(_ unread: UnreadAnswers) { self.unread = unread }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .body(let bytes) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let (unread, count) = (unread, bytes.readableBytes)
        unread.add(count)
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.whenComplete { _ in unread.subtract(count) }
        context.write(data, promise: promise)
    }
}
