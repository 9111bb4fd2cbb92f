import Domain
import HTTPTypes
import Hummingbird
import Logging

extension Problem {
    /// The answer to any error a handler threw. What is not a problem already is logged, and the client learns only
    /// that it happened.
    init(_ error: any Error, request: Request, logger: Logger) {
        switch error {
        case let problem as Problem: self = problem
        case let error as LedgerError: self.init(error, logger: logger)
        case let error as SourceError: self.init(error, logger: logger)
        case is PasswordHasherBusy: self = .overloaded
        case let error as HTTPError where error.status == .notFound: self.init(unmatched: request)
        default:
            logger.error("request failed", metadata: ["error": "\(error)", "error.type": "\(type(of: error))"])
            self = .internalError
        }
    }

    private init(_ error: LedgerError, logger: Logger) {
        switch error.code {
        case .unavailable:
            logger.warning("ledger unavailable", metadata: ["error": "\(error)"])
            self.init(.unavailable, "The database cannot be reached; try again shortly.", headers: [.retryAfter: "5"])
        case .overloaded:
            self = .overloaded
        case .tooManyOfUser:
            self.init(
                .tooManyExecutions, "You have as many unfinished executions as one may have; let some of them end.",
                headers: [.retryAfter: "30"])
        case .tooMany:
            logger.warning("an execution was refused", metadata: ["reason": "\(error)"])
            self.init(
                .overloaded, "As many executions wait as may wait; try again in a while.", headers: [.retryAfter: "30"])
        case .rejected, .notFound:
            logger.error("ledger refused a request", metadata: ["error": "\(error)"])
            self = .internalError
        }
    }

    private init(_ error: SourceError, logger: Logger) {
        switch error.code {
        case .conflict: self.init(.sourceConflict, "\(error.message).")
        case .empty, .unavailable:
            logger.warning("source unavailable", metadata: ["error": "\(error)"])
            self.init(
                .unavailable, "The repository cannot be read now; try again shortly.", headers: [.retryAfter: "5"])
        }
    }

    /// The answer where no route matches: 405 where the path has other methods, else 404.
    private init(unmatched request: Request) {
        let path = request.uri.path
        guard let endpoint = Endpoint(matching: path) else {
            self.init(.notFound, "There is no endpoint at \(path.clipped).")
            return
        }
        let allowed = endpoint.allowedMethods
        self.init(
            .methodNotAllowed, "\(request.method.rawValue.clipped) is not allowed here; allowed: \(allowed).",
            headers: [.allow: allowed])
    }

    static var overloaded: Problem {
        Problem(
            .overloaded, "Too many requests wait for the same resource; try again shortly.",
            headers: [.retryAfter: "1"])
    }

    private static var internalError: Problem {
        Problem(
            .internalError,
            "The request failed on the server's side. Its request_id finds the cause in the server's log.")
    }
}

extension StringProtocol {
    /// A text from a request, as it may be named in an answer: short, and without what a terminal or a reader's eye
    /// would take for more than text. Scalars are counted: a single character may have thousands of them.
    var clipped: String {
        let shown = unicodeScalars.prefix(80).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(shown)) + (unicodeScalars.count > shown.count ? "…" : "")
    }
}
