import CLibpq

/// One libpq connection. Not Sendable: it stays on the thread that made it.
@safe final class Connection {
    enum Progress { case reading, writing, ready, failed }

    /// What libpq hands out next.
    enum Reply {
        case rows(Rows)
        case refused(ServerRefusal)
        /// Not carried out, because a statement before it in the batch was refused.
        case skipped
        /// The end of a batch: what came before is durable.
        case synchronized
        /// The end of one statement's replies.
        case end
    }

    private let handle: OpaquePointer
    /// Names of the statements that this connection has prepared.
    var prepared: Set<String> = []

    /// Begins to connect; `advance` carries on. nil only where memory is exhausted.
    ///
    /// - Parameter url: a URI or a `keyword=value` string, as libpq reads them.
    init?(connectingTo url: String, applicationName: String) {
        let pairs = [
            ("connect_timeout", "10"), ("keepalives_idle", "15"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
            // What stands before the URL may be overridden by it; what stands behind may not.
            ("dbname", url), ("application_name", applicationName), ("client_encoding", "UTF8"),
        ]
        guard
            let handle = unsafe withCStrings(
                pairs.map(\.0),
                { keywords in
                    unsafe withCStrings(pairs.map(\.1), { values in unsafe PQconnectStartParams(keywords, values, 1) })
                })
        else { return nil }
        unsafe self.handle = handle
        // By default libpq prints the server's notices on standard error.
        _ = unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(handle) }

    var descriptor: Int32 { unsafe PQsocket(handle) }
    var isUsable: Bool { unsafe PQstatus(handle) == CONNECTION_OK }
    var hasFailed: Bool { unsafe PQstatus(handle) == CONNECTION_BAD }
    var backendPID: Int64 { Int64(unsafe PQbackendPID(handle)) }
    var serverVersion: Int { Int(unsafe PQserverVersion(handle)) }

    /// libpq's account of the last failure, on one line.
    var errorText: String {
        let text = unsafe String(cString: PQerrorMessage(handle))
        let lines = text.split(separator: "\n").map { $0.trimmingPrefix(while: { $0 == " " || $0 == "\t" }) }
        return lines.isEmpty ? "the connection was closed" : lines.joined(separator: "; ")
    }

    /// Carries connecting on, once the descriptor is ready for what the last call asked.
    func advance() -> Progress {
        switch unsafe PQconnectPoll(handle) {
        case PGRES_POLLING_OK:
            unsafe PQsetnonblocking(handle, 1)
            return .ready
        case PGRES_POLLING_READING: return .reading
        case PGRES_POLLING_WRITING: return .writing
        default: return .failed
        }
    }
}

extension Connection {
    /// What `CREATE ROLE … PASSWORD` takes in a password's stead: made here, so that the server, its log and
    /// `pg_stat_activity` never see the password. nil where libpq cannot.
    func scramVerifier(of password: String, role: String) -> String? {
        guard let text = unsafe PQencryptPasswordConn(handle, password, role, "scram-sha-256") else { return nil }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }
}

// MARK: - Sending

extension Connection {
    /// Allows several statements to share one synchronisation.
    func enterPipeline() -> Bool { unsafe PQenterPipelineMode(handle) == 1 }

    func prepare(_ name: String, _ sql: String) -> Bool { unsafe PQsendPrepare(handle, name, sql, 0, nil) == 1 }

    func sendPrepared(_ name: String, _ parameters: ParameterBuffer) -> Bool {
        unsafe parameters.withPointers { count, values in
            unsafe PQsendQueryPrepared(handle, name, count, values, nil, nil, 0) == 1
        }
    }

    /// Sends one statement without a name.
    func send(_ sql: String, _ parameters: ParameterBuffer) -> Bool {
        unsafe parameters.withPointers { count, values in
            unsafe PQsendQueryParams(handle, sql, count, nil, values, nil, nil, 0) == 1
        }
    }

    /// Sends several statements as one text, without parameters. Not in a pipeline.
    func sendScript(_ sql: String) -> Bool { unsafe PQsendQuery(handle, sql) == 1 }

    /// Ends a batch and starts to send it.
    func synchronize() -> Bool { unsafe PQpipelineSync(handle) == 1 }

    /// Sends what the socket takes. true: some is left for when it is writable again; nil: the connection is lost.
    func flush() -> Bool? {
        switch unsafe PQflush(handle) {
        case 0: false
        case 1: true
        default: nil
        }
    }
}

// MARK: - Receiving

extension Connection {
    /// Reads what has arrived; false when the connection is lost.
    func receive() -> Bool { unsafe PQconsumeInput(handle) == 1 }

    /// Whether `reply` would have to wait.
    var isAwaiting: Bool { unsafe PQisBusy(handle) == 1 }

    /// The next reply. Only when not `isAwaiting`.
    func reply() -> Reply {
        guard let result = unsafe PQgetResult(handle) else { return .end }
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return unsafe .rows(Rows(result))
        case PGRES_PIPELINE_SYNC:
            unsafe PQclear(result)
            return .synchronized
        case PGRES_PIPELINE_ABORTED:
            unsafe PQclear(result)
            return .skipped
        default:
            defer { unsafe PQclear(result) }
            return .refused(unsafe Self.refusal(result, fallback: errorText))
        }
    }

    private static func refusal(_ result: OpaquePointer, fallback: String) -> ServerRefusal {
        func field(_ code: Character) -> String? {
            guard let value = unsafe PQresultErrorField(result, Int32(code.asciiValue ?? 0)) else { return nil }
            return unsafe String(cString: value)
        }
        // The letters are libpq's PG_DIAG_SQLSTATE, PG_DIAG_CONSTRAINT_NAME, PG_DIAG_MESSAGE_PRIMARY and
        // PG_DIAG_STATEMENT_POSITION. An error that libpq itself made has no SQLSTATE: the connection is lost.
        return ServerRefusal(
            sqlState: field("C") ?? "08006", constraint: field("n"), message: field("M") ?? fallback,
            position: field("P").flatMap { Int($0) })
    }
}

/// Lends a null-terminated array of C strings for the time of the call.
func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes += string.utf8.map { CChar(bitPattern: $0) } + [0]
    }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
        var pointers = unsafe offsets.map { unsafe buffer.baseAddress?.advanced(by: $0) }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { list in
            // An array that holds at least the terminator has a base address.
            unsafe body(list.baseAddress.unsafelyUnwrapped)
        }
    }
}
