import Crypto
import Glibc

/// The bytes of one library in a sealed memory file: what was checked is what is loaded, whatever happens to the
/// file on disk meanwhile.
///
/// The descriptor stays open for the life of the process. The dynamic loader knows a library by its path, and the
/// path names the descriptor: were it closed, the next library would get its number, and the loader would answer
/// with this one.
struct LibraryImage: Sendable {
    static let maximumBytes = 1 << 30
    private static let elf = "a plugin is an ELF shared library for \(machineName)"

    let path: String
    /// SHA-256 of the bytes, in hexadecimal.
    let digest: String
    let descriptor: Int32

    var loaderPath: String { "/proc/self/fd/\(descriptor)" }

    init(path: String) throws(PluginRefusal) {
        let bytes = try Self.read(path)
        try Self.check(bytes, path)
        self.path = path
        digest = Self.digest(bytes)
        descriptor = try Self.seal(bytes, path)
    }

    /// The digest of a library that is not to be loaded.
    static func digest(of path: String) throws(PluginRefusal) -> String {
        let bytes = try read(path)
        try check(bytes, path)
        return digest(bytes)
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    private static func read(_ path: String) throws(PluginRefusal) -> [UInt8] {
        // Not waiting: whoever opens a pipe would wait until somebody writes to it.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw PluginRefusal(
                .notFound, path, "\(systemMessage())",
                fix: "Give the path of a readable file, the .so that the plugin's build made.")
        }
        defer { close(file) }
        var status = stat()
        unsafe fstat(file, &status)
        guard status.isRegularFile else {
            throw PluginRefusal(
                .notFound, path, "this is \(status.kind)", fix: "Give the path of the plugin's .so file itself.")
        }
        let size = Int(status.st_size)
        guard size <= maximumBytes else {
            throw PluginRefusal(
                .notALibrary, path, "the file has \(size) bytes, at most \(maximumBytes) are read",
                fix: "Strip the library, or check that this is the right file.")
        }
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = unsafe Glibc.read(file, buffer.baseAddress! + count, size - count)
                if got > 0 {
                    count += got
                } else if got == 0 {
                    break
                } else if errno != EINTR {
                    failure = errno
                    break
                }
            }
        }
        guard failure == 0 else {
            throw PluginRefusal(
                .notFound, path, "reading failed: \(systemMessage(failure))", fix: "Check the disk and the file.")
        }
        return bytes
    }

    private static func check(_ bytes: [UInt8], _ path: String) throws(PluginRefusal) {
        func refuse(_ reason: String, fix: String = "Give the .so that the plugin's build made.") -> PluginRefusal {
            PluginRefusal(.notALibrary, path, "\(reason); \(elf)", fix: fix)
        }
        func number(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
        guard !bytes.isEmpty else { throw refuse("the file is empty") }
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            let first = bytes.prefix(8).map { 0x20...0x7E ~= $0 ? String(Unicode.Scalar($0)) : "." }.joined()
            throw refuse("the file begins with \"\(first)\", not with an ELF header")
        }
        guard bytes.count >= 64, bytes[4] == 2, bytes[5] == 1 else {
            throw refuse("the ELF file is not a 64-bit little-endian one")
        }
        guard number(18) == machine else { throw refuse("the library is for ELF machine \(number(18))") }
        guard number(16) == 3 else { throw refuse("this is an ELF file of type \(number(16)), not 3") }
        do throws(LibraryHeaders.Fault) {
            _ = try LibraryHeaders(bytes)
        } catch {
            switch error {
            case .cutOff:
                throw refuse("the file is cut off", fix: "Copy it again: it is shorter than its own headers say.")
            case .wrong(let reason):
                throw refuse(
                    "its headers are damaged: \(reason)", fix: "Copy it again, or link it as the examples are linked.")
            }
        }
    }

    private static func seal(_ bytes: [UInt8], _ path: String) throws(PluginRefusal) -> Int32 {
        func refuse(_ what: String, _ code: Int32) -> PluginRefusal {
            PluginRefusal(
                .failed, path, "\(what): \(systemMessage(code))",
                fix: "The host needs memory for a copy of the library, and the right to execute it.")
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let file = MemoryFile.create(name: name)
        guard file >= 0 else { throw refuse("memfd_create failed", errno) }
        var failure: Int32 = 0
        unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = unsafe write(file, buffer.baseAddress! + written, buffer.count - written)
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        if failure == 0, !MemoryFile.seal(file) { failure = errno }
        guard failure == 0 else {
            close(file)
            throw refuse("the sealed copy failed", failure)
        }
        return file
    }

    #if arch(x86_64)
        private static let (machine, machineName) = (62, "x86-64")
    #elseif arch(arm64)
        private static let (machine, machineName) = (183, "AArch64")
    #endif
}

/// memfd and its seals. Swift's Glibc module leaves them out, for it is built without `_GNU_SOURCE`: the function is
/// found by its name and the constants are those of <linux/memfd.h> and <linux/fcntl.h>.
private enum MemoryFile {
    private typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    private static let closeOnExec: UInt32 = 1
    private static let allowSealing: UInt32 = 2
    private static let executable: UInt32 = 0x10
    private static let addSeals: Int32 = 1_033
    /// Nothing may be added to the seals, and the file may not shrink, grow or be written.
    private static let allSeals: Int32 = 1 | 2 | 4 | 8

    static func create(name: String) -> Int32 {
        guard let symbol = unsafe dlsym(nil, "memfd_create") else {
            errno = ENOSYS
            return -1
        }
        let create = unsafe unsafeBitCast(symbol, to: Create.self)
        let flags = closeOnExec | allowSealing
        // Kernels before 6.3 do not know the flag that later ones may ask for.
        let file = unsafe create(name, flags | executable)
        return file < 0 && errno == EINVAL ? unsafe create(name, flags) : file
    }

    static func seal(_ file: Int32) -> Bool { fcntl(file, addSeals, allSeals) == 0 }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32 = errno) -> String { unsafe String(cString: strerror(code)) }
