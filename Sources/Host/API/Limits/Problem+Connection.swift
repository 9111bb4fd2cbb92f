import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

extension Problem {
    /// Answers on the connection itself, for what never reaches a route, and closes it.
    func answer(_ request: HTTPRequest, on context: ChannelHandlerContext) {
        let path = (request.path ?? "").prefix { $0 != "?" }
        let requestID = RequestID().description
        let (document, fields) = content(instance: String(path), requestID: requestID)
        var head = HTTPResponse(status: code.status, headerFields: fields)
        head.headerFields[.requestID] = requestID
        head.headerFields[.contentLength] = String(document.count)
        head.headerFields[.connection] = "close"
        context.write(NIOAny(HTTPResponsePart.head(head)), promise: nil)
        if request.method != .head {
            context.write(NIOAny(HTTPResponsePart.body(ByteBuffer(bytes: document))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(NIOAny(HTTPResponsePart.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
