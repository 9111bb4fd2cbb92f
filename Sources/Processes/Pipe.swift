import CSpawn
import Glibc

/// A pipe whose ends no child inherits that was not given them, closed with its last reference at the latest.
public final class Pipe: Sendable {
    public let reading: Descriptor
    public let writing: Descriptor

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe aib_pipe(&ends) == 0 else { throw SystemError("a pipe", errno) }
        reading = Descriptor(ends[0])
        writing = Descriptor(ends[1])
    }
}
