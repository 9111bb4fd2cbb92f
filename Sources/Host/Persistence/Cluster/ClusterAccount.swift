import Glibc

/// The user that runs a private cluster's server: PostgreSQL refuses root, so that a host that is root runs it as
/// `postgres`; any other host runs it as itself.
struct ClusterAccount {
    let uid: uid_t
    let gid: gid_t
    let name: String
    /// Name of the host's own user, who may connect.
    let hostName: String

    static func current() throws(ClusterError) -> ClusterAccount {
        let own = geteuid()
        guard let host = entry(uid: own) else {
            throw ClusterError(
                .user,
                "user id \(own) has no entry in /etc/passwd, and PostgreSQL refuses to run without one: add one, run "
                    + "as another user, or set DATABASE_URL to a server elsewhere")
        }
        guard own == 0 else { return ClusterAccount(uid: own, gid: host.gid, name: host.name, hostName: host.name) }
        guard let postgres = entry(name: "postgres") else {
            throw ClusterError(
                .user,
                "PostgreSQL refuses to run as root, and there is no user postgres to run it as: install PostgreSQL's "
                    + "server package, or run this program as another user")
        }
        return ClusterAccount(uid: postgres.uid, gid: postgres.gid, name: "postgres", hostName: host.name)
    }

    var isHost: Bool { uid == geteuid() }

    /// The command as this user, in which the server is asked to shut down when the thread that starts it ends.
    func command(_ arguments: [String], diesWithHost: Bool) -> [String] {
        var wrapper: [String] = []
        if !isHost { wrapper += ["--reuid=\(name)", "--regid=\(gid)", "--init-groups"] }
        if diesWithHost { wrapper += ["--pdeathsig", "INT"] }
        return wrapper.isEmpty ? arguments : ["setpriv"] + wrapper + ["--"] + arguments
    }

    /// Makes sure that this user can go down to a directory.
    func requireEntry(to directory: String) throws(ClusterError) {
        guard !isHost else { return }
        var partial = ""
        for component in [""] + directory.split(separator: "/").map(String.init) {
            partial += component.isEmpty ? "/" : (partial == "/" ? component : "/\(component)")
            guard let status = FileSystem.status(partial) else { throw FileSystem.failure("enter", partial) }
            let bit: mode_t = status.owner == uid ? 0o100 : status.group == gid ? 0o010 : 0o001
            guard status.permissions & bit != 0 else {
                throw ClusterError(
                    .directory,
                    "the user \(name), who runs the database, cannot enter \(partial): allow it with "
                        + "`chmod o+x \(partial)`, or choose a data directory elsewhere")
            }
        }
    }

    private typealias Entry = (uid: uid_t, gid: gid_t, name: String)

    private static func entry(uid: uid_t) -> Entry? {
        unsafe lookUp { unsafe getpwuid_r(uid, $0, $1, $2, $3) }
    }

    private static func entry(name: String) -> Entry? {
        unsafe lookUp { unsafe getpwnam_r(name, $0, $1, $2, $3) }
    }

    private static func lookUp(
        _ call: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> Entry? {
        var entry = unsafe passwd()
        var buffer = [CChar](repeating: 0, count: 16_384)
        var found: UnsafeMutablePointer<passwd>?
        return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, unsafe call(&entry, base, buffer.count, &found) == 0,
                let found = unsafe found
            else { return nil }
            return unsafe (found.pointee.pw_uid, found.pointee.pw_gid, String(cString: found.pointee.pw_name))
        }
    }
}
