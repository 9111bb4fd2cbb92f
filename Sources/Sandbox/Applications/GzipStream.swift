import Glibc
import Processes

/// What a gzipped archive holds, read through `gzip -dc` up to a limit. Blocks; `close` it once.
struct GzipStream {
    private let limit: Int
    private let output: Descriptor
    private var process: ChildProcess?
    private var count = 0

    /// - Parameter directory: holds the archive for a moment.
    init(_ archive: [UInt8], limit: Int, directory: String) throws(ApplicationFailure) {
        self.limit = limit
        do throws(SystemError) {
            let input = try Self.file(holding: archive, in: directory)
            let silence = Descriptor(unsafe open("/dev/null", O_WRONLY | O_CLOEXEC))
            let pipe = try Pipe()
            output = pipe.reading
            // When the host dies its pipe breaks, and gzip with it.
            process = try withExtendedLifetime((input, silence, pipe)) { () throws(SystemError) in
                try ChildProcess(
                    Program(searching: ["gzip", "-dc"]), input: input.value, output: pipe.writing.value,
                    errors: silence.value)
            }
        } catch {
            throw ApplicationFailure(.build, "the archive cannot be unpacked: \(error)")
        }
    }

    /// A file without a name that holds these bytes, at its beginning.
    private static func file(holding bytes: [UInt8], in directory: String) throws(SystemError) -> Descriptor {
        let name = directory + "/.archive"
        let file = Descriptor(unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600))
        guard file.isOpen else { throw SystemError("a file for it", errno) }
        unsafe unlink(name)
        var offset = 0
        while offset < bytes.count {
            guard let written = file.write(bytes, from: offset) else { throw SystemError("a file for it", errno) }
            offset += written
        }
        lseek(file.value, 0, SEEK_SET)
        return file
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
                unsafe Glibc.read(output.value, bytes.baseAddress?.advanced(by: filled), size - filled)
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
        guard process.wait().isSuccess else { throw .archive("is damaged") }
    }

    /// Ends gzip, if it still runs, and closes what it writes to.
    mutating func close() {
        output.close()
        guard let process else { return }
        self.process = nil
        process.kill()
        process.wait()
    }
}
