import CSpawn
import Domain
import Glibc

/// A pipe whose ends no other child inherits, closed with its last reference at the latest.
final class Pipe: Sendable {
    let reading: Descriptor
    let writing: Descriptor

    init() throws(SourceError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe aib_private_pipe(&ends) == 0 else { throw .system("pipe", errno) }
        reading = Descriptor(ends[0])
        writing = Descriptor(ends[1])
    }
}

extension SourceError {
    static func system(_ call: String, _ code: Int32) -> SourceError {
        SourceError(.unavailable, "\(call): \(unsafe String(cString: strerror(code)))")
    }
}
