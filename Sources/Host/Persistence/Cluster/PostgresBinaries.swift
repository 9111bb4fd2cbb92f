import Files
import Glibc
import Processes

/// A PostgreSQL server that this system has.
struct PostgresBinaries {
    static let oldestMajor = 15

    let directory: String
    let major: Int

    /// Finds a server: the one `pg_config` in `PATH` tells of, then Debian's, newest first.
    ///
    /// - Parameter major: the version that made an existing data directory; nil for a new one.
    static func find(major wanted: Int?) throws(ClusterError) -> PostgresBinaries {
        var found: [PostgresBinaries] = []
        for directory in candidates() where !found.contains(where: { $0.directory == directory }) {
            if let major = majorVersion(in: directory) {
                found.append(PostgresBinaries(directory: directory, major: major))
            }
        }
        let usable = found.filter { $0.major >= oldestMajor && (wanted == nil || $0.major == wanted) }
        if let best = usable.first { return best }
        let seen = found.map { "\($0.major) in \($0.directory)" }.joined(separator: ", ")
        guard let wanted, !found.isEmpty else {
            throw ClusterError(
                .serverMissing,
                "PostgreSQL \(oldestMajor) or newer is not installed (found: \(seen.isEmpty ? "none" : seen)): "
                    + "install it (Debian: apt-get install postgresql), or set DATABASE_URL to a server elsewhere")
        }
        throw ClusterError(
            .versionMismatch,
            "the data directory was made by PostgreSQL \(wanted), this system has \(seen): use "
                + "that version, 15 or newer, or bring the directory to this one with pg_upgrade")
    }

    func path(_ program: String) -> String { "\(directory)/\(program)" }

    private static func candidates() -> [String] {
        var directories: [String] = []
        if let answer = try? ClusterProgram.run(["pg_config", "--bindir"]), answer.status.isSuccess {
            directories.append(String(answer.output.prefix { $0 != "\n" }))
        }
        let versions = FileTree.names(in: "/usr/lib/postgresql").compactMap { Int($0) }.sorted(by: >)
        return directories + versions.map { "/usr/lib/postgresql/\($0)/bin" }
    }

    private static func majorVersion(in directory: String) -> Int? {
        guard unsafe access("\(directory)/initdb", X_OK) == 0, unsafe access("\(directory)/postgres", X_OK) == 0,
            let answer = try? ClusterProgram.run(["\(directory)/postgres", "--version"]), answer.status.isSuccess
        else { return nil }
        // "postgres (PostgreSQL) 15.18 (Debian …)"
        let version = answer.output.split(separator: ")").dropFirst().first?.drop { $0 == " " }
        return version.flatMap { Int($0.prefix { $0.isNumber }) }
    }
}
