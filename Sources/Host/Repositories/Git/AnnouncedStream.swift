import Domain
import Synchronization

/// A stream with bytes before it, that come with its first.
final class AnnouncedStream: SourceStream {
    private let stream: any SourceStream
    private let announcement: Mutex<[UInt8]>

    init(_ announcement: [UInt8], before stream: any SourceStream) {
        self.stream = stream
        self.announcement = Mutex(announcement)
    }

    func next() async throws(SourceError) -> [UInt8]? {
        // First, so that a stream that fails at once is not announced.
        let bytes = try await stream.next()
        let announced = announcement.withLock { announcement in
            defer { announcement = [] }
            return announcement
        }
        return announced.isEmpty ? bytes : announced + (bytes ?? [])
    }

    func cancel() { stream.cancel() }
}
