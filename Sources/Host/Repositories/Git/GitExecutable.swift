public import Domain
import Glibc

/// The system's git: where it is, and the surroundings in which it runs. No configuration, hook, credential or
/// terminal of the host's user reaches it.
public struct GitExecutable: Sendable, Hashable {
    /// Absolute.
    public let path: String

    private static let usualFolders = ["/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin"]

    /// - Parameter path: absolute; nothing is checked before it is run.
    public init(path: String) { self.path = path }

    /// Looks where systems keep it.
    ///
    /// - Throws: `SourceError` of code `unavailable` where there is none.
    public static func find() throws(SourceError) -> GitExecutable {
        for folder in usualFolders where unsafe access("\(folder)/git", X_OK) == 0 {
            return GitExecutable(path: "\(folder)/git")
        }
        throw SourceError(
            .unavailable, "git is not installed: there is none in \(usualFolders.joined(separator: ", "))")
    }

    /// - Parameters:
    ///   - home: an empty folder.
    ///   - version: the protocol that a client asked for.
    func environment(home: String, version: String?) -> [String] {
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        var variables = [
            "PATH=\(folder):/usr/bin:/bin", "LC_ALL=C", "HOME=\(home)", "XDG_CONFIG_HOME=\(home)",
            "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ATTR_NOSYSTEM=1",
            "GIT_DIR=.",
        ]
        if let version { variables.append("GIT_PROTOCOL=\(version)") }
        return variables
    }
}
