import HTTPTypes
import Hummingbird

extension Request {
    /// The whole body, never holding more of it than the limit.
    ///
    /// - Parameter limit: in bytes.
    func bytes(limit: Int) async throws(Problem) -> [UInt8] {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw .tooLarge(limit) }
        var bytes: [UInt8] = []
        do {
            for try await chunk in body {
                guard bytes.count + chunk.readableBytes <= limit else { throw Problem.tooLarge(limit) }
                bytes.append(contentsOf: chunk.readableBytesView)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.unreadableBody, "The body ended early or its framing is not valid HTTP.")
        }
        return bytes
    }
}

extension Problem {
    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.bodyTooLarge, "The body may have \(limit) bytes at most.")
    }
}
