import Crypto
import Glibc

/// Where a private cluster keeps what.
struct ClusterLayout {
    /// The longest path of a Unix socket, without its terminating zero (`sockaddr_un`).
    private static let socketPathLimit = 107

    let directory: String
    let socketDirectory: String
    /// The port of 127.0.0.1 that the server listens on beside its socket.
    var listeningPort: Int?

    var data: String { directory + "/data" }
    /// Where a cluster is initialised, before it gets its name: one that has its name is whole.
    var unfinishedData: String { directory + "/data.new" }
    var log: String { directory + "/server.log" }
    var lock: String { directory + "/lock" }
    var pidFile: String { data + "/postmaster.pid" }
    /// Where the port is kept that was found free, so that what was told of it stays true.
    var portFile: String { directory + "/port" }
    /// It names the socket too.
    var port: Int { listeningPort ?? 5432 }

    /// Makes the directories that are missing, and checks that the account can use them.
    ///
    /// - Parameter isListening: whether `listeningPort` will be set.
    init(_ path: String, account: ClusterAccount, isListening: Bool = false) throws(ClusterError) {
        try FileSystem.makeDirectories(path, mode: account.isHost ? 0o700 : 0o711)
        directory = try FileSystem.canonicalPath(path)
        try account.requireEntry(to: directory)
        let name = isListening ? "/.s.PGSQL.65535" : "/.s.PGSQL.5432"
        if directory.utf8.count + "/socket".utf8.count + name.utf8.count <= Self.socketPathLimit {
            socketDirectory = directory + "/socket"
        } else {
            let digest = SHA256.hash(data: Array(directory.utf8)).hexadecimal.prefix(16)
            let base = unsafe geteuid() == 0 && access("/run", W_OK) == 0 ? "/run" : "/tmp"
            socketDirectory = "\(base)/aibackend-\(digest)"
        }
        try Self.makePrivate(socketDirectory, for: account)
    }

    /// As libpq takes it.
    var connectionURL: String {
        let host = socketDirectory.utf8.map { byte in
            let isPlain =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + [byte].hexadecimal
        }.joined()
        return "postgresql://aibackend@/aibackend?host=\(host)&port=\(port)"
    }

    /// Makes a directory of the account alone. One that another user has put in its place is refused.
    static func makePrivate(_ path: String, for account: ClusterAccount) throws(ClusterError) {
        if unsafe mkdir(path, 0o700) == 0 {
            guard unsafe chown(path, account.uid, account.gid) == 0 else { throw FileSystem.failure("own", path) }
        } else if errno != EEXIST {
            throw FileSystem.failure("make", path)
        }
        guard let status = FileSystem.status(path), status.isDirectory, status.owner == account.uid,
            status.permissions & 0o077 == 0
        else {
            throw ClusterError(
                .directory, "\(path) is not a directory of the user \(account.name) alone: move it out of the way")
        }
    }
}
