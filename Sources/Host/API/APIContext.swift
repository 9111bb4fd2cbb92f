public import Hummingbird
import NIOCore

/// A request's context that knows its connection, for answers that last.
public struct APIContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Counts the request for as long as its handler is at work.
    var turn: RequestTurns.Turn?

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
