import Domain

extension ApplicationDatabaseError {
    /// What the server said to a statement that names nobody's data.
    ///
    /// - Parameter place: what was asked, for the operator.
    init(_ error: DatabaseError, at place: String) {
        guard let refusal = error.refusal else {
            self.init("\(place): \(error.ledgerError.message)", isRetryable: error.mayPass)
            return
        }
        // insufficient_privilege
        let hint = refusal.sqlState == "42501" ? "; its role needs the rights CREATEDB and CREATEROLE" : ""
        self.init(
            "\(place): \(refusal.message) (SQLSTATE \(refusal.sqlState))\(hint)", isRetryable: error.mayPass)
    }
}

extension DatabaseError {
    /// Whether the same may succeed later.
    var mayPass: Bool {
        switch self {
        case .disconnected, .commitUnknown, .overloaded, .timedOut, .system: true
        case .closed, .unreadable, .aborted: false
        case .refused(let refusal):
            switch refusal.kind {
            case .retryable, .connection: true
            // object_in_use: another host is copying the same template, or a session is just ending.
            case .content, .stalePlan, .other: ["55006", "53300", "53400"].contains(refusal.sqlState)
            }
        }
    }
}
