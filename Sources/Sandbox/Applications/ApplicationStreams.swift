import Glibc

/// The three descriptors of an application, this process's ends and the application's; and one pipe to end the
/// reading.
struct ApplicationStreams: Sendable {
    typealias Ends = (ours: Int32, theirs: Int32)

    let input: Ends
    let output: Ends
    let errors: Ends
    private let ending: (reading: Int32, writing: Int32)

    init() throws(SpawnFailure) {
        var opened: [Int32] = []
        do throws(SpawnFailure) {
            var sockets: [Int32] = [-1, -1]
            // A socket: writing to a reader that is gone must not raise a signal.
            guard
                unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &sockets) == 0
            else { throw SpawnFailure(program: "a socket", code: errno) }
            opened += sockets
            input = (sockets[0], sockets[1])
            let out = try Spawn.pipe()
            opened += [out.reading, out.writing]
            output = (out.reading, out.writing)
            let err = try Spawn.pipe()
            opened += [err.reading, err.writing]
            errors = (err.reading, err.writing)
            ending = try Spawn.pipe()
        } catch {
            for descriptor in opened { close(descriptor) }
            throw error
        }
    }

    func closeTheirs() { for descriptor in [input.theirs, output.theirs, errors.theirs] { close(descriptor) } }

    /// After `endReading`, and once `read` has returned.
    func closeOurs() { for descriptor in [output.ours, errors.ours, ending.reading] { close(descriptor) } }

    /// Writes all of the application's standard input, and ends it. Blocks until the application has taken it.
    func send(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    input.ours, bytes.baseAddress?.advanced(by: offset), bytes.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            if sent < 0, errno == EINTR { continue }
            // It has ended: why, its end will tell.
            if sent <= 0 { break }
            offset += sent
        }
        close(input.ours)
    }

    /// Lets `read` return once it has read what is there.
    func endReading() { close(ending.writing) }

    /// Reads both outputs until they end, or until `endReading` and nothing more is there: what the application left
    /// behind may hold them open.
    func read(_ onLine: (ApplicationLogStream, String) -> Void) {
        var streams: [(stream: ApplicationLogStream, descriptor: Int32, lines: OutputLines)] = [
            (.standardOutput, output.ours, OutputLines()), (.standardError, errors.ours, OutputLines()),
        ]
        var isEnding = false
        // What is left behind may go on writing.
        var rounds = 64
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while streams.contains(where: { $0.descriptor >= 0 }) {
            // poll passes over negative descriptors.
            var requests = streams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            requests.append(pollfd(fd: isEnding ? -1 : ending.reading, events: Int16(POLLIN), revents: 0))
            let ready = unsafe poll(&requests, nfds_t(requests.count), isEnding ? 0 : -1)
            if ready < 0, errno == EINTR { continue }
            if isEnding { rounds -= 1 }
            if ready <= 0 || rounds == 0 { break }
            for index in streams.indices where requests[index].revents != 0 {
                let count = unsafe Glibc.read(streams[index].descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { streams[index].descriptor = -1 }
                let lines = streams[index].lines.append(buffer[..<max(0, count)])
                for line in lines { onLine(streams[index].stream, line) }
            }
            if requests[streams.count].revents != 0 { isEnding = true }
        }
        for index in streams.indices {
            if let line = streams[index].lines.finish() { onLine(streams[index].stream, line) }
        }
    }
}
