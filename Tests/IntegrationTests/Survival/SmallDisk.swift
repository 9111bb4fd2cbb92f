import Foundation
import Testing

/// A file system in memory, small enough to be filled. Mounting one takes a user who may.
final class SmallDisk {
    /// Whether this user may mount, found out by doing it once.
    static let isAvailable: Bool = {
        guard let path = try? Program.folder("mount"), let disk = try? SmallDisk(at: path, megabytes: 1) else {
            return false
        }
        disk.unmount()
        return true
    }()

    private let path: String
    private var ballast: String { path + "/ballast" }

    /// - Parameter path: a folder, which is made.
    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0755", "tmpfs", path)
    }

    /// Takes every byte that is left.
    func fill() throws {
        try #require(FileManager.default.createFile(atPath: ballast, contents: nil))
        let file = try #require(FileHandle(forWritingAtPath: ballast))
        for size in [1 << 20, 4_096] {
            let block = Data(count: size)
            while (try? file.write(contentsOf: block)) != nil {}
        }
        try file.close()
    }

    func makeRoom() throws { try FileManager.default.removeItem(atPath: ballast) }

    /// Whoever still has a file open there keeps it.
    func unmount() { try? Self.run("umount", "-l", path) }

    private static func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw MountFailure() }
    }

    private struct MountFailure: Error {}
}
