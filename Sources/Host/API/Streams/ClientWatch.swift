import NIOCore

/// Tells an answer that lasts when its client has gone, or when the server wants to stop.
///
/// It does nothing while a connection has no such answer: then a client may close its sending half and still be
/// answered. With one, a closed half counts as gone, and so does a client that takes nothing for a minute.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// What an answer wants to be told; on the connection's event loop, each at most once.
    struct Listener: Sendable {
        let onGone: @Sendable () -> Void
        var onShutdown: @Sendable () -> Void = {}
    }

    /// How long a client may take nothing of what waits for it.
    private static let patience = TimeAmount.seconds(60)

    private var listener: Listener?
    private var isInputClosed = false
    private var isShuttingDown = false
    private var stall: Scheduled<Void>?

    /// Watches a connection until the answer calls `end` of what this returns.
    static func begin(on channel: any Channel, _ listener: Listener) async -> Watching {
        let watched: Void? = try? await channel.eventLoop.submit {
            let operations = channel.pipeline.syncOperations
            try operations.handler(type: ClientWatch.self)
                .begin(listener, in: operations.context(handlerType: ClientWatch.self))
        }.get()
        // A connection that is gone has no handlers any more.
        if watched == nil { listener.onGone() }
        return Watching(channel: channel)
    }

    struct Watching: Sendable {
        fileprivate let channel: any Channel

        func end() {
            channel.eventLoop.execute {
                try? channel.pipeline.syncOperations.handler(type: ClientWatch.self).end()
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            isInputClosed = true
            if listener != nil { context.close(promise: nil) }
        } else if event is ChannelShouldQuiesceEvent {
            isShuttingDown = true
            listener?.onShutdown()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watchForStall(context)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        listener?.onGone()
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func begin(_ listener: Listener, in context: ChannelHandlerContext) {
        self.listener = listener
        if isInputClosed || !context.channel.isActive { context.close(promise: nil) }
        if !context.channel.isActive { listener.onGone() }
        if isShuttingDown { listener.onShutdown() }
        watchForStall(context)
    }

    private func end() {
        listener = nil
        stall?.cancel()
        stall = nil
    }

    private func watchForStall(_ context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        guard listener != nil, !context.channel.isWritable else { return }
        let channel = context.channel
        stall = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}
