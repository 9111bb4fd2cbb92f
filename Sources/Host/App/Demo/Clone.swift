import Foundation

/// Clones a repository with the system's git, as a client would.
enum Clone {
    /// The paths of the files that a clone has, sorted.
    static func files(of url: String, key: String) async throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.path + "/aibackend-clone.\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard try await run(["clone", "--quiet", url, folder], url: url, key: key) == 0 else {
            throw StartFailure("git clone \(url) failed")
        }
        var files: [String] = []
        for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder)
            if !isFolder.boolValue, !path.hasPrefix(".git/") { files.append(path) }
        }
        return files.sorted()
    }

    /// The key goes in git's environment, not in its arguments, which every user of the machine can read.
    private static func run(_ arguments: [String], url: String, key: String) async throws -> Int32 {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git"] + arguments
        let address = url.replacing("://", with: "://client:\(key)@", maxReplacements: 1)
        git.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.\(address).insteadOf", "GIT_CONFIG_VALUE_0": url,
        ]
        return try await withCheckedThrowingContinuation { continuation in
            git.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try git.run() } catch {
                git.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
    }
}
