import Glibc
import Processes

/// The three streams of an application, and one pipe to end the reading. What is open closes with the last reference.
struct ApplicationStreams: Sendable {
    private let input: (ours: Descriptor, theirs: Descriptor)
    private let output: Pipe
    private let errors: Pipe
    private let ending: Pipe

    init() throws(SystemError) {
        var sockets: [Int32] = [-1, -1]
        // A socket: writing to a reader that is gone must not raise a signal.
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &sockets) == 0 else {
            throw SystemError("a socket", errno)
        }
        input = (Descriptor(sockets[0]), Descriptor(sockets[1]))
        output = try Pipe()
        errors = try Pipe()
        ending = try Pipe()
    }

    /// Starts a program with the other ends of the streams, which this process then has no more.
    func start(_ program: Program) throws(SystemError) -> ChildProcess {
        let child = try ChildProcess(
            program, input: input.theirs.value, output: output.writing.value, errors: errors.writing.value)
        for descriptor in [input.theirs, output.writing, errors.writing] { descriptor.close() }
        return child
    }

    /// Writes all of the application's standard input, and ends it. Blocks until the application has taken it.
    func send(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    input.ours.value, bytes.baseAddress?.advanced(by: offset), bytes.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            if sent < 0, errno == EINTR { continue }
            // It has ended: why, its end will tell.
            if sent <= 0 { break }
            offset += sent
        }
        input.ours.close()
    }

    /// Lets `read` return once it has read what is there.
    func endReading() { ending.writing.close() }

    /// Reads both outputs until they end, or until `endReading` and nothing more is there: what the application left
    /// behind may hold them open.
    func read(_ onLine: (ApplicationLogStream, String) -> Void) {
        var streams: [(stream: ApplicationLogStream, descriptor: Int32, lines: OutputLines)] = [
            (.standardOutput, output.reading.value, OutputLines()),
            (.standardError, errors.reading.value, OutputLines()),
        ]
        var isEnding = false
        // What is left behind may go on writing.
        var rounds = 64
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while streams.contains(where: { $0.descriptor >= 0 }) {
            // poll passes over negative descriptors.
            var requests = streams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            requests.append(pollfd(fd: isEnding ? -1 : ending.reading.value, events: Int16(POLLIN), revents: 0))
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
