import Domain
import Synchronization

/// A deployment step's record while it runs: collects the provider's log lines and tells the run now and then.
final class DeploymentLog: Sendable {
    private struct State {
        var record: DeploymentRecord
        var lines = 0
        var lastLine: String?
        var reportedAt: Duration?
    }

    /// Lines that also go into the execution's own log.
    private static let maximumLines = 200
    /// The record is written again at most this often while lines come.
    private static let interval = Duration.seconds(1)

    private let step: StepRunner
    private let state: Mutex<State>

    init(of step: StepRunner) {
        self.step = step
        state = Mutex(
            State(
                record: DeploymentRecord(
                    id: UUIDv7(at: step.services.clock.wall.now()), stepID: step.step.id,
                    provider: step.step.routeKey.providerName)))
    }

    var lastLine: String? { state.withLock { $0.lastLine } }

    func begin(input: JSON) {
        change { record in
            record.status = .deploying
            record.environment = input["variables"] ?? .null
            var config = input
            config.set("variables", nil)
            record.config = config
        }
    }

    func append(_ text: String, to stream: LogStream) {
        let now = step.services.clock.instant()
        let (isLogged, record) = state.withLock { state -> (Bool, DeploymentRecord?) in
            switch stream {
            case .build: state.record.buildLogs.append(line: text)
            case .deploy: state.record.deployLogs.append(line: text)
            }
            state.lines += 1
            if !text.allSatisfy(\.isWhitespace) { state.lastLine = String(text.prefix(300)) }
            let isLogged = state.lines <= Self.maximumLines
            if let reportedAt = state.reportedAt, now - reportedAt < Self.interval { return (isLogged, nil) }
            state.reportedAt = now
            return (isLogged, state.record)
        }
        if isLogged { step.line(.debug, "\(stream.rawValue): \(text.prefix(1_000))") }
        if let record { step.report(.deployment(record)) }
    }

    func found(url: String, providerID: String?) {
        change { record in
            record.url = url
            record.providerID = providerID
        }
    }

    func succeed() { change { $0.status = .live } }
    func fail() { change { $0.status = .failed } }

    private func change(_ body: (inout DeploymentRecord) -> Void) {
        let record = state.withLock { state in
            body(&state.record)
            return state.record
        }
        step.report(.deployment(record))
    }
}

extension String {
    /// Appends a line to a log, whose beginning gives way when it is full.
    fileprivate mutating func append(line: String) {
        self += line
        self += "\n"
        guard utf8.count > DeploymentRecord.maximumLogBytes else { return }
        let start = utf8.index(startIndex, offsetBy: utf8.count - DeploymentRecord.maximumLogBytes / 2)
        self = "…\n" + String(decoding: utf8[start...].drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
    }
}
