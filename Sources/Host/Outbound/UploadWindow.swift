import Domain

/// The bounded store between the writer of a body and the thread that sends it.
struct UploadWindow {
    static let capacity = 256 * 1024

    /// What one reading got.
    enum Piece: Equatable {
        /// `count` bytes were copied; `isWritable` where the writer, once refused, may go on.
        case bytes(count: Int, isWritable: Bool)
        /// Nothing now, more to come.
        case empty
        case finished
    }

    private let length: Int64?
    private var store: [UInt8] = []
    private var start = 0
    private var accepted: Int64 = 0
    private var isFinished = false
    /// Whether the writer was refused and waits for room.
    private(set) var hasRefused = false
    /// Whether the reader found nothing and waits.
    private(set) var isStarved = false
    /// What the writer did against the announced length.
    private(set) var violation: ProviderError?

    /// For a body that is written piece by piece.
    init(length: Int64?) { self.length = length }

    /// For a body that is known as a whole.
    init(_ body: [UInt8]) {
        length = Int64(body.count)
        _ = append(body)
        finish()
    }

    private var count: Int { store.count - start }
    private var isComplete: Bool { isFinished || length == accepted }
    /// Whether a reading would get bytes or the end.
    var isReadable: Bool { count > 0 || isComplete }

    /// Whether nothing is left to send.
    var isDrained: Bool { count == 0 && isComplete }

    /// Takes a piece whole, or not at all where it does not fit. An empty window takes a piece of any size, so that a
    /// large one is not refused for ever.
    mutating func append(_ bytes: [UInt8]) -> Bool {
        guard !isFinished, violation == nil else { return true }
        if let length, accepted + Int64(bytes.count) > length {
            violation = ProviderError(
                .invalid, "the streamed body is longer than the announced \(length) bytes; announce its exact length")
            return true
        }
        guard count == 0 || count + bytes.count <= Self.capacity else {
            hasRefused = true
            return false
        }
        if count == 0 {
            (store, start) = (bytes, 0)
        } else {
            store.removeFirst(start)
            start = 0
            store += bytes
        }
        accepted += Int64(bytes.count)
        return true
    }

    mutating func finish() {
        isFinished = true
        if let length, accepted < length, violation == nil {
            violation = ProviderError(
                .invalid, "the streamed body ended after \(accepted) of the announced \(length) bytes")
        }
    }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Piece {
        let taken = min(buffer.count, count)
        guard taken > 0 else {
            isStarved = !isComplete
            return isComplete ? .finished : .empty
        }
        isStarved = false
        unsafe buffer.copyBytes(from: store[start..<start + taken])
        start += taken
        if count == 0 {
            (store, start) = ([], 0)
        }
        let isWritable = hasRefused && count <= Self.capacity / 2
        if isWritable { hasRefused = false }
        return .bytes(count: taken, isWritable: isWritable)
    }
}
