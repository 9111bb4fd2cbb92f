import Glibc

/// A gzipped tar that somebody deployed. Nothing in it is believed.
///
/// It is read and written here, entry by entry into a directory that nobody else uses yet, not by a program that
/// follows links, keeps owners or means another thing by a name than a check before it did. Blocks: call it off the
/// pool.
struct ApplicationArchive {
    /// What is refused, whatever it is.
    struct Limits: Sendable {
        var compressedBytes = 64 << 20
        /// Of the tar, with its headers.
        var bytes = 256 << 20
        var entries = 20_000
        var pathBytes = 1_024
        var depth = 32
    }

    let directory: String
    let owner: ApplicationUser
    let limits: Limits

    private static let headerBytes = 65_536

    /// - Returns: how many files there are.
    func unpack(_ archive: [UInt8]) throws(ApplicationFailure) -> Int {
        guard archive.count <= limits.compressedBytes else {
            throw refusal("is larger than \(limits.compressedBytes >> 20) MiB (\(limits.compressedBytes) bytes)")
        }
        var stream = try GzipStream(archive, limit: limits.bytes, directory: directory)
        defer { stream.close() }
        var tree = ApplicationTree(root: directory, owner: owner)
        var (entries, files) = (0, 0)
        var announced = Announced()
        while let block = try stream.read(TarHeader.size), !block.allSatisfy({ $0 == 0 }) {
            guard let header = TarHeader(block) else { throw refusal("is not a gzipped tar") }
            entries += 1
            guard entries <= limits.entries else { throw refusal("has more than \(limits.entries) entries") }
            let size = announced.size ?? header.size
            guard size <= limits.bytes else { throw stream.excess }
            switch header.kind {
            case .longPath, .extended, .global:
                guard header.size <= Self.headerBytes else { throw refusal("has a header of \(header.size) bytes") }
                let content = try whole(header.size, of: &stream)
                if header.kind == .longPath { announced.path = Array(content.prefix { $0 != 0 }) }
                if header.kind == .extended { try announced.read(content) }
                continue
            case .directory:
                try tree.makeDirectory(try path(announced.path ?? header.path))
                _ = try whole(size, of: &stream)
            case .file:
                let path = try path(announced.path ?? header.path)
                guard !path.isEmpty else { throw refusal("has a file without a name") }
                try tree.makeFile(
                    path, isExecutable: header.isExecutable, size: size
                ) { count throws(ApplicationFailure) in
                    guard let bytes = try stream.read(count) else { throw refusal("ends in the middle of a file") }
                    return bytes
                }
                try skipPadding(size, of: &stream)
                files += 1
            case .other(let type):
                throw refusal("has a link, a device or another entry that is not unpacked (type \(type))")
            }
            announced = Announced()
        }
        try stream.finish()
        guard files > 0 else { throw refusal("has no files") }
        return files
    }

    private func whole(_ size: Int, of stream: inout GzipStream) throws(ApplicationFailure) -> [UInt8] {
        guard size > 0 else { return [] }
        guard let content = try stream.read(size) else { throw refusal("ends too early") }
        try skipPadding(size, of: &stream)
        return content
    }

    private func skipPadding(_ size: Int, of stream: inout GzipStream) throws(ApplicationFailure) {
        let rest = size % TarHeader.size
        guard rest != 0 else { return }
        guard try stream.read(TarHeader.size - rest) != nil else { throw refusal("ends too early") }
    }

    /// The parts of a relative path that stays below where it starts; none for the directory itself.
    private func path(_ bytes: [UInt8]) throws(ApplicationFailure) -> [String] {
        guard bytes.count <= limits.pathBytes, let text = String(validating: bytes, as: UTF8.self),
            !bytes.contains(where: { $0 < 32 || $0 == 127 })
        else { throw refusal("has a path that is too long or no plain text") }
        guard !text.hasPrefix("/") else { throw refusal("has an absolute path: \(text)") }
        let parts = text.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard !parts.contains("..") else { throw refusal("has a path that leads out of it: \(text)") }
        guard parts.count <= limits.depth else { throw refusal("has a path of more than \(limits.depth) parts") }
        return parts
    }

    private func refusal(_ reason: String) -> ApplicationFailure { .archive(reason) }
}

extension ApplicationFailure {
    static func archive(_ reason: String) -> ApplicationFailure { ApplicationFailure(.build, "the archive \(reason)") }
}

/// What stands before an entry about it.
private struct Announced {
    var path: [UInt8]?
    var size: Int?

    /// Reads POSIX records: `length key=value` and a line feed each, the length being that of the whole record.
    mutating func read(_ content: [UInt8]) throws(ApplicationFailure) {
        var rest = content[...]
        while !rest.isEmpty {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2,
                length <= rest.count, rest[rest.startIndex + digits.count] == 32,
                rest[rest.startIndex + length - 1] == 10
            else { throw .archive("has a broken extended header") }
            let record = rest[(rest.startIndex + digits.count + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let sign = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw .archive("has a broken extended header")
            }
            let key = String(decoding: record[..<sign], as: UTF8.self)
            let value = Array(record[(sign + 1)...])
            if key == "path" { path = value }
            if key == "size" {
                guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0 else {
                    throw .archive("has a broken extended header")
                }
                size = number
            }
            if key.hasPrefix("GNU.sparse") { throw .archive("has a sparse file, which is not unpacked") }
        }
    }
}
