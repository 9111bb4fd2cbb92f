import Domain

extension PostgresApplicationDatabases {
    /// What there is under a name.
    enum Owner: Equatable {
        case absent
        /// A role of ours, perhaps without its database: what a crash left half made, or half removed.
        case ours(hasDatabase: Bool)
        case foreign
    }

    func owner(_ name: ApplicationDatabaseName) async throws(DatabaseError) -> Owner {
        let rows = try await execute(
            """
            SELECT r.oid IS NOT NULL, d.oid IS NOT NULL, d.oid IS NULL OR d.datdba IS NOT DISTINCT FROM r.oid,
                shobj_description(r.oid, 'pg_authid') IS NOT DISTINCT FROM $2
            FROM (SELECT $1::name AS name) wanted
            LEFT JOIN pg_roles r ON r.rolname = wanted.name
            LEFT JOIN pg_database d ON d.datname = wanted.name
            """, [.text(name.text), .text(Self.mark)])
        let (hasRole, hasDatabase) = (rows.bool(0, 0), rows.bool(0, 1))
        if !hasRole { return hasDatabase ? .foreign : .absent }
        return rows.bool(0, 2) && rows.bool(0, 3) ? .ours(hasDatabase: hasDatabase) : .foreign
    }

    /// Makes the role, or gives it a new password. With its mark in one transaction: there is never one without.
    func makeRole(_ name: ApplicationDatabaseName, password: String) async throws(DatabaseError) {
        try await lane.transaction(answerTimeout: timeout) { session throws(DatabaseError) in
            let verifier = try session.scramVerifier(of: password, role: name.text)
            // Others may make the same role at the same moment.
            _ = try session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [.text(name.text)])
            let marked = try session.query(
                "SELECT FROM pg_roles WHERE rolname = $1 AND shobj_description(oid, 'pg_authid') = $2",
                [.text(name.text), .text(Self.mark)])
            if !marked.isEmpty {
                try session.script("ALTER ROLE \(name.quoted) PASSWORD '\(verifier)'")
            } else {
                try session.script(
                    """
                    CREATE ROLE \(name.quoted) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
                        CONNECTION LIMIT \(Self.connectionLimit) PASSWORD '\(verifier)';
                    COMMENT ON ROLE \(name.quoted) IS '\(Self.mark)'
                    """)
            }
            // Who gives a database to a role, or takes it away, must be a member of it; superusers are as it is.
            let isMember = try session.query(
                "SELECT pg_has_role(current_user, $1, 'MEMBER')", [.text(name.text)]
            ).bool(0, 0)
            if !isMember { try session.script("GRANT \(name.quoted) TO CURRENT_USER") }
        }
    }

    /// Makes the database, closed until nobody else may connect to it; or finishes what was begun.
    func makeDatabase(_ name: ApplicationDatabaseName) async throws(DatabaseError) {
        do {
            let rows = try await execute("SELECT FROM pg_database WHERE datname = $1", [.text(name.text)])
            if rows.isEmpty {
                try await execute(
                    "CREATE DATABASE \(name.quoted) OWNER \(name.quoted) TEMPLATE template0 ALLOW_CONNECTIONS false")
            }
        } catch {
            // duplicate_database: made meanwhile, or by the try before this one, whose answer was lost.
            guard error.refusal?.sqlState == "42P04" else { throw error }
        }
        try await execute("REVOKE CONNECT, TEMPORARY ON DATABASE \(name.quoted) FROM PUBLIC")
        try await execute("ALTER DATABASE \(name.quoted) ALLOW_CONNECTIONS true")
    }

    @discardableResult
    func execute(_ sql: String, _ parameters: [SQLValue] = []) async throws(DatabaseError) -> Rows {
        try await lane.execute(sql, parameters, within: timeout)
    }
}
