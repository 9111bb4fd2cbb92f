import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a request that does not arrive: from its head to its end it may take a minute, however it trickles in.
///
/// Until the head is complete the idle timeout of the connection holds, which counts nothing less than a head.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let patience: TimeAmount
    /// The request that arrives now.
    private var request: HTTPRequest?
    private var timer: Scheduled<Void>?
    /// Requests whose head has come and whose answer is not complete.
    private var unanswered = 0
    private var isAnswering = false

    init(patience: TimeAmount = .seconds(60)) { self.patience = patience }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            unanswered += 1
            request = head
            let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            timer = context.eventLoop.scheduleTask(in: patience) {
                let (deadline, context) = loopBound.value
                deadline.expire(context)
            }
        case .body: break
        case .end: arrived()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): isAnswering = isAnswering || head.status.kind != .informational
        case .body: break
        case .end:
            isAnswering = false
            unanswered -= 1
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        arrived()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { arrived() }

    private func arrived() {
        request = nil
        timer?.cancel()
        timer = nil
    }

    private func expire(_ context: ChannelHandlerContext) {
        guard let request else { return }
        arrived()
        // One that is answered already, or that waits behind another's answer, has nothing more to learn.
        guard unanswered == 1, !isAnswering else { return context.close(promise: nil) }
        Problem(.requestTimeout, "The request took longer than \(patience.nanoseconds / 1_000_000_000) s to arrive.")
            .answer(request, on: context)
    }
}
