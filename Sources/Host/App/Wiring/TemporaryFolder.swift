import Foundation

/// A folder for one run of a command, removed with everything in it.
struct TemporaryFolder {
    let path: String

    init(_ purpose: String) throws {
        path = "/tmp/aibackend-\(purpose).\(UUID().uuidString.prefix(8))"
        // Database servers and applications run as other users when this process is root: they must get through here.
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
