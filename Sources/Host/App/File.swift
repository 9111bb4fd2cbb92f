import Foundation

/// Small whole files: settings, templates, keys. Blocking; for the start of a process only.
enum File {
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The content, or nil where the file cannot be read or is longer than `limit`.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let content = try? file.read(upToCount: limit + 1) ?? Data(), content.count <= limit else { return nil }
        return Array(content)
    }

    /// Writes a file that only its owner can read, in one rename; false where it cannot.
    static func writePrivately(_ text: String, to path: String) -> Bool {
        let temporary = path + ".new"
        let isMade = FileManager.default.createFile(
            atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else { return false }
        return unsafe rename(temporary, path) == 0
    }

    /// The names in a directory, sorted; nil where it cannot be read.
    static func names(in directory: String) -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    /// The path with a leading `/`, against the current folder.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    static func createDirectories(_ path: String) -> Bool {
        (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil
    }

    /// The running program's own file.
    static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
