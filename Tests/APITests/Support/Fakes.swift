import Domain
import Synchronization

/// Accounts in memory that count look-ups.
final class FakeAccounts: AccountStore {
    struct State {
        var registrations: [Registration] = []
        var principals: [String: Principal] = [:]
        var lookups = 0
        var failure: LedgerError?
    }

    let state = Mutex(State())

    func register(_ registration: Registration) async throws(LedgerError) -> RegistrationOutcome {
        let (failure, isTaken) = state.withLock { state in
            let isTaken = state.registrations.contains { $0.email == registration.email }
            if !isTaken, state.failure == nil {
                state.registrations.append(registration)
                state.principals[registration.keyHash] = Principal(
                    userID: registration.userID, keyID: registration.keyID, tier: registration.tier, isAdmin: false)
            }
            return (state.failure, isTaken)
        }
        if let failure { throw failure }
        return isTaken ? .emailTaken : .created(subscription: #"{"tier":"starter","status":"active"}"#)
    }

    func principal(keyHash: String) async throws(LedgerError) -> Principal? {
        let (failure, principal) = state.withLock { state in
            state.lookups += 1
            return (state.failure, state.principals[keyHash])
        }
        if let failure { throw failure }
        return principal
    }
}

/// Answers each listing with what is set and remembers the filter.
final class FakeCatalog: TemplateCatalog {
    struct State {
        var page = TemplatePage(templates: "[]", totalCount: 0, next: nil)
        var filters: [TemplateFilter] = []
    }

    let state = Mutex(State())

    func list(_ filter: TemplateFilter) async throws(LedgerError) -> TemplatePage {
        state.withLock { state in
            state.filters.append(filter)
            return state.page
        }
    }

    func source(of id: String) async throws(LedgerError) -> JSON? { nil }
    func publish(_ template: Template) async throws(LedgerError) {}
    func publish(_ categories: [TemplateCategory]) async throws(LedgerError) {}
}

/// Executions of users, as text.
final class FakeReader: ExecutionReader {
    struct Execution {
        let user: UUIDv7
        let text: String
        let logs: LogPage
        var resources = "{}"
    }

    /// A run whose log grows.
    struct Run {
        let user: UUIDv7
        /// The messages of lines 1, 2, …
        var messages: [String] = []
        var state = ExecutionState.running
        /// Whether a page tells the state.
        var tellsState = true
    }

    struct State {
        var executions: [UUIDv7: Execution] = [:]
        var runs: [UUIDv7: Run] = [:]
        var logRequests: [LogRequest] = []
        var failure: LedgerError?
        /// Waited for before resources are answered.
        var hold: (@Sendable () async -> Void)?
    }

    struct LogRequest: Equatable {
        let after: Int64
        let limit: Int
    }

    let state = Mutex(State())

    func execution(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String? {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        if let run = run(id, of: user) { return "{\"status\":\"\(run.state.rawValue)\"}" }
        return find(id, of: user)?.text
    }

    func logs(_ id: UUIDv7, of user: UUIDv7, after: Int64, limit: Int) async throws(LedgerError) -> LogPage? {
        let failure = state.withLock { state in
            state.logRequests.append(LogRequest(after: after, limit: limit))
            return state.failure
        }
        if let failure { throw failure }
        if let run = run(id, of: user) { return run.page(after: after, limit: limit) }
        return find(id, of: user)?.logs
    }

    func resources(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String? {
        await state.withLock { $0.hold }?()
        return find(id, of: user)?.resources
    }

    private func run(_ id: UUIDv7, of user: UUIDv7) -> Run? {
        state.withLock { $0.runs[id] }.flatMap { $0.user == user ? $0 : nil }
    }

    private func find(_ id: UUIDv7, of user: UUIDv7) -> Execution? {
        state.withLock { $0.executions[id] }.flatMap { $0.user == user ? $0 : nil }
    }
}

extension FakeReader.Run {
    func page(after: Int64, limit: Int) -> LogPage {
        let rest = messages.enumerated().dropFirst(Int(after))
        let lines = rest.prefix(limit).map { "{\"sequence\":\($0 + 1),\"message\":\(JSON.string($1).text)}" }
        return LogPage(
            lines: "[\(lines.joined(separator: ","))]", lastSequence: after + Int64(lines.count),
            hasMore: rest.count > limit, state: tellsState ? state : nil)
    }
}

/// Admits everything, or refuses with what is set.
final class FakeAdmission: ExecutionAdmission {
    struct State {
        var requests: [(request: ExecutionRequest, principal: Principal)] = []
        var refusal: AdmissionRefusal?
    }

    static let executionID = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    static let estimatedCompletion = Timestamp(microseconds: 1_795_420_800_250_000)

    let state = Mutex(State())

    func admit(_ request: ExecutionRequest, by principal: Principal) async throws(AdmissionRefusal) -> Admission {
        let refusal = state.withLock { state in
            state.requests.append((request, principal))
            return state.refusal
        }
        if let refusal { throw refusal }
        return Admission(executionID: Self.executionID, estimatedCompletion: Self.estimatedCompletion)
    }
}

/// A clock that stands until it is moved.
final class FakeClock: WallClock {
    private let time = Mutex(Timestamp(microseconds: 1_795_420_800_000_000))

    func now() -> Timestamp { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

/// Secrets in memory.
final class FakeVault: SecretVault {
    struct State {
        var values: [SecretReference: String] = [:]
        var questions: [[SecretReference]] = []
        var failure: LedgerError?
    }

    let state = Mutex(State())

    func keep(_ value: String, as name: String, of execution: UUIDv7) async throws(LedgerError) -> SecretReference {
        try await replace(value, as: name, of: execution)
    }

    func replace(_ value: String, as name: String, of execution: UUIDv7) async throws(LedgerError) -> SecretReference {
        let reference = SecretReference(id: UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000)))
        state.withLock { $0.values[reference] = value }
        return reference
    }

    func values(
        _ references: [SecretReference], of execution: UUIDv7
    ) async throws(LedgerError) -> [SecretReference: String] {
        let (failure, values) = state.withLock { state in
            state.questions.append(references)
            return (state.failure, state.values.filter { references.contains($0.key) })
        }
        if let failure { throw failure }
        return values
    }
}
