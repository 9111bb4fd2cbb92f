import CLibpq
import Files
import Glibc
import Processes

/// Makes a private cluster: `initdb`, who may connect, the role and the database.
struct ClusterInitialization {
    let layout: ClusterLayout
    let account: ClusterAccount

    /// Returns the binaries that serve the data directory, which is made if there is none.
    func run() throws(ClusterError) -> PostgresBinaries {
        if let version = FileSystem.text(layout.data + "/PG_VERSION") {
            let major = Int(version.prefix { $0.isNumber })
            return try PostgresBinaries.find(major: major)
        }
        guard FileSystem.status(layout.data) == nil else {
            throw ClusterError(
                .directory, "\(layout.data) exists and is not PostgreSQL's: move it away, or choose another directory")
        }
        let binaries = try PostgresBinaries.find(major: nil)
        FileTree.remove(layout.unfinishedData)
        try ClusterLayout.makePrivate(layout.unfinishedData, for: account)
        try initialize(binaries)
        try allowHost()
        try createDatabase(binaries)
        try synchronize()
        guard unsafe rename(layout.unfinishedData, layout.data) == 0 else {
            throw FileSystem.failure("rename", layout.unfinishedData)
        }
        return binaries
    }

    private func initialize(_ binaries: PostgresBinaries) throws(ClusterError) {
        try run([
            binaries.path("initdb"), "--pgdata=\(layout.unfinishedData)", "--username=postgres", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-sync", "--auth-local=peer", "--auth-host=scram-sha-256",
        ])
        let path = layout.unfinishedData + "/postgresql.conf"
        let settings = """

            # Set by aibackend for a small machine; edit freely. Where the server listens is set on its command line.
            shared_buffers = 128MB
            max_connections = 60
            fsync = on
            log_min_messages = warning
            log_line_prefix = '%m [%p] '

            """
        try FileSystem.write((FileSystem.text(path) ?? "") + settings, to: path, mode: 0o600, owner: account)
    }

    /// The host's own user is the role `aibackend`; whoever else finds the socket is asked for a password. Over the
    /// network each application's role comes to the database of its own name, and to no other.
    private func allowHost() throws(ClusterError) {
        let others =
            layout.listeningPort == nil
            ? """
            local   all       all                 scram-sha-256
            host    all       all        all      scram-sha-256
            """
            : "host    sameuser  all   127.0.0.1/32  scram-sha-256"
        let access = """
            # TYPE  DATABASE  USER       ADDRESS  METHOD
            local   all       aibackend           peer map=host
            \(others)

            """
        let names = """
            # MAP  SYSTEM-USER  ROLE
            host   "\(account.hostName)"  aibackend

            """
        try FileSystem.write(access, to: layout.unfinishedData + "/pg_hba.conf", mode: 0o600, owner: account)
        try FileSystem.write(names, to: layout.unfinishedData + "/pg_ident.conf", mode: 0o600, owner: account)
    }

    private func createDatabase(_ binaries: PostgresBinaries) throws(ClusterError) {
        // Single-user mode takes one statement a line and needs nobody's permission.
        let statements = """
            CREATE ROLE aibackend LOGIN CREATEDB\(layout.listeningPort == nil ? "" : " CREATEROLE");
            CREATE DATABASE aibackend OWNER aibackend;

            """
        let script = layout.unfinishedData + "/setup.sql"
        try FileSystem.write(statements, to: script, mode: 0o600, owner: account)
        defer { unsafe unlink(script) }
        try run([binaries.path("postgres"), "--single", "-F", "-D", layout.unfinishedData, "postgres"], input: script)
    }

    /// Makes a thousand new files durable with one call, before they get the name that says they are whole.
    private func synchronize() throws(ClusterError) {
        let descriptor = unsafe open(layout.unfinishedData, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileSystem.failure("open", layout.unfinishedData) }
        defer { close(descriptor) }
        guard aib_sync_file_system(descriptor) == 0 else { throw FileSystem.failure("write", layout.unfinishedData) }
    }

    private func run(_ arguments: [String], input: String = "/dev/null") throws(ClusterError) {
        let answer = try ClusterProgram.run(account.command(arguments, diesWithHost: true), input: input)
        guard answer.status.isSuccess, !answer.output.contains("ERROR:"), !answer.output.contains("FATAL:") else {
            let program = arguments[0].split(separator: "/").last ?? ""
            throw ClusterError(
                .initialization, "\(program) could not make the database: \(answer.output.suffix(2_000))")
        }
    }
}
