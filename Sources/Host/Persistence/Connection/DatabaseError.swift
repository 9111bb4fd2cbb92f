import Domain
import Processes

/// What went wrong between the host and PostgreSQL, in the words of this module.
enum DatabaseError: Error, Sendable {
    /// No connection could be had, or one was lost; the text is libpq's and free of secrets.
    case disconnected(String)
    /// The connection was lost while a transaction was being committed: it may be durable or not.
    case commitUnknown
    /// The server refused a statement.
    case refused(ServerRefusal)
    /// More statements wait than may wait.
    case overloaded
    /// The server did not answer a statement in time; the connection was given up. It may still be at work on it.
    case timedOut(Duration)
    /// What an execution has stored cannot be read.
    case unreadable(execution: UUIDv7, String)
    /// The database was closed by its owner.
    case closed
    /// The system refused a resource.
    case system(_ call: String, _ code: Int32)
    /// A body of a transaction gave up with an error of its own; the transaction was rolled back.
    case aborted(LedgerError)
}

/// An error the server reported. Its text may quote values and therefore stays in this module; only migrations,
/// which hold nobody's data, show it.
struct ServerRefusal: Sendable, Hashable {
    let sqlState: String
    let constraint: String?
    let message: String
    /// Where in the statement, counted in characters from 1, if the server says.
    var position: Int? = nil

    /// What the first two characters of the SQLSTATE say (PostgreSQL manual, appendix A).
    enum Kind {
        /// Data, constraint, schema or a limit: the same statement is refused again.
        case content
        case retryable, connection, stalePlan
        /// The server's own trouble: full, out of memory, damaged.
        case other
    }

    var kind: Kind {
        switch sqlState.prefix(2) {
        case "22", "23", "42", "54": .content
        case "40": .retryable
        case "08": .connection
        case "57": ["57P01", "57P02", "57P03", "57P05"].contains(sqlState) ? .connection : .retryable
        case "25": ["25006", "25P03"].contains(sqlState) ? .connection : .other
        case "55": sqlState == "55P03" ? .retryable : .other
        case "26": .stalePlan
        case "0A": sqlState == "0A000" ? .stalePlan : .other
        default: .other
        }
    }

    /// Free of values. Class 42 (a statement that does not fit the schema) names only tables and columns.
    var label: String {
        "SQLSTATE \(sqlState)" + (constraint.map { " (\($0))" } ?? "")
            + (sqlState.hasPrefix("42") ? ": \(message)" : "")
    }
}

extension DatabaseError {
    var refusal: ServerRefusal? { if case .refused(let refusal) = self { refusal } else { nil } }

    /// The error as the domain's ports report it.
    var ledgerError: LedgerError {
        switch self {
        case .disconnected(let text): LedgerError(.unavailable, "the database cannot be reached: \(text)")
        case .commitUnknown:
            LedgerError(.unavailable, "the connection was lost while a transaction was being committed")
        case .overloaded: LedgerError(.overloaded, "too many statements wait for the database")
        case .timedOut(let bound): LedgerError(.unavailable, "the database did not answer within \(bound)")
        case .unreadable(let execution, let what):
            LedgerError(.rejected, "execution \(execution) was not taken: its stored \(what) cannot be read")
        case .closed: LedgerError(.unavailable, "the database is closed: the host is shutting down")
        case .system(let call, let code):
            LedgerError(.unavailable, "\(call) failed: \(SystemError.text(code))")
        case .aborted(let error): error
        case .refused(let refusal):
            switch refusal.kind {
            case .content:
                refusal.sqlState == "23503"
                    ? LedgerError(.notFound, "a referenced row does not exist, \(refusal.label)")
                    : LedgerError(.rejected, "the database refused the write, \(refusal.label)")
            case .retryable, .connection, .stalePlan, .other:
                LedgerError(.unavailable, "the database could not carry out the statement, \(refusal.label)")
            }
        }
    }
}
