import Glibc

/// What a gzipped archive holds, read through `gzip -dc` up to a limit. Blocks; `close` it once.
struct GzipStream {
    private let limit: Int
    private let output: Int32
    private var process: pid_t?
    private var count = 0

    /// - Parameter directory: holds the archive for a moment.
    init(_ archive: [UInt8], limit: Int, directory: String) throws(ApplicationFailure) {
        self.limit = limit
        do throws(SpawnFailure) {
            let input = try Self.file(holding: archive, in: directory)
            defer { Glibc.close(input) }
            let silence = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
            defer { Glibc.close(silence) }
            let ends = try Spawn.pipe()
            defer { Glibc.close(ends.writing) }
            output = ends.reading
            do throws(SpawnFailure) {
                // When the host dies its pipe breaks, and gzip with it.
                process = try Spawn.start(["gzip", "-dc"], input: input, output: ends.writing, errors: silence)
            } catch {
                Glibc.close(ends.reading)
                throw error
            }
        } catch {
            throw ApplicationFailure(.build, "the archive cannot be unpacked: \(error)")
        }
    }

    /// A file without a name that holds these bytes, at its beginning.
    private static func file(holding bytes: [UInt8], in directory: String) throws(SpawnFailure) -> Int32 {
        let name = directory + "/.archive"
        let descriptor = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SpawnFailure(program: "a file for it", code: errno) }
        unsafe unlink(name)
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { bytes in
                unsafe write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                let code = errno
                Glibc.close(descriptor)
                throw SpawnFailure(program: "a file for it", code: code)
            }
            offset += written
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    /// What is said of an archive that is larger than the limit.
    var excess: ApplicationFailure { .archive("holds more than \(limit >> 20) MiB (\(limit) bytes)") }

    /// The next `size` bytes; nil where the stream has ended before them.
    mutating func read(_ size: Int) throws(ApplicationFailure) -> [UInt8]? {
        guard count + size <= limit else { throw excess }
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let read = unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(output, bytes.baseAddress?.advanced(by: filled), size - filled)
            }
            if read < 0, errno == EINTR { continue }
            if read <= 0 {
                // Nothing at all is what gzip says of a file that is none.
                if count + filled == 0 { throw .archive("is not a gzipped tar") }
                return nil
            }
            filled += read
        }
        count += size
        return bytes
    }

    /// Reads the padding behind the tar's end, and checks that gzip found the archive whole.
    mutating func finish() throws(ApplicationFailure) {
        while try read(TarHeader.size) != nil {}
        guard let process else { return }
        self.process = nil
        guard Spawn.wait(process) == 0 else { throw .archive("is damaged") }
    }

    /// Ends gzip, if it still runs, and frees the descriptor.
    mutating func close() {
        Glibc.close(output)
        guard let process else { return }
        self.process = nil
        kill(process, SIGKILL)
        _ = Spawn.wait(process)
    }
}
