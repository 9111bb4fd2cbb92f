import Hummingbird
import NIOCore

/// A request's context that knows its connection.
struct SandboxContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Closes a connection as soon as its client has, so that whoever answers on it learns of it while waiting.
///
/// A server may let a client close its sending half and still answer; no client of a provider does that.
final class ClosesWithItsClient: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}

extension Hold {
    /// Waits until the hold is released or the call's connection is closed.
    ///
    /// - Throws: `CancellationError` where the connection is closed or the task is cancelled first.
    func wait(as sequence: Int, on channel: any Channel) async throws {
        channel.closeFuture.whenComplete { _ in self.abandon(sequence) }
        try await wait(as: sequence)
    }
}
