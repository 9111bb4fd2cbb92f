import Glibc
import Synchronization

/// A file descriptor that is closed once, with its last reference at the latest.
public final class Descriptor: Sendable {
    private let number: Mutex<Int32>

    /// Takes a descriptor over; a negative one is closed already.
    public init(_ number: Int32) { self.number = Mutex(number) }

    deinit { close() }

    /// -1 where it is closed: `poll` passes over that.
    public var value: Int32 { number.withLock { $0 } }
    public var isOpen: Bool { value >= 0 }

    public func close() {
        let open = number.withLock { number in
            defer { number = -1 }
            return number
        }
        if open >= 0 { _ = Glibc.close(open) }
    }

    /// Reading and writing answer at once from now on.
    public func stopBlocking() { _ = fcntl(value, F_SETFL, O_NONBLOCK) }

    /// What is there, at most 64 KiB; empty at the end, nil where nothing is there yet.
    public func read() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe Glibc.read(value, &chunk, chunk.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        return Array(chunk.prefix(max(0, count)))
    }

    /// How many bytes from `offset` it took; nil where nobody will ever read them.
    public func write(_ bytes: [UInt8], from offset: Int) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(value, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
        }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }
}
