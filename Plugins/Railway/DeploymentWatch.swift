import PluginKit

/// Follows one deployment until it runs or has failed, and passes on what its logs say.
struct DeploymentWatch {
    /// Entries of one log that are asked for at once.
    static let pageSize: Int64 = 500
    /// Pages of one log that are read after one look; one that is written faster is read on at the next.
    static let maximumPages = 20
    /// The last lines that a failure repeats, and how much of each.
    static let tailLines = 20
    static let tailLineLength = 200
    /// Looks that may fail one after the other: the deployment goes on whether or not it is looked at.
    static let maximumFailures = 3
    /// The longest pause for a provider's limit that is waited for here, in milliseconds; a longer one is the host's
    /// decision.
    static let maximumPause: Int64 = 60_000

    private let api: RailwayAPI
    private let id: String
    /// Values that no error may repeat, should the application have written them.
    private let confidential: [String]
    private var cursors: [LogStream: LogCursor] = [:]
    private var tail: [String] = []
    private var isBuilt = false

    init(api: RailwayAPI, deployment id: String, confidential: [String] = []) {
        self.api = api
        self.id = id
        self.confidential = confidential
    }

    /// - Returns: the status in which it runs.
    /// - Throws: `PluginError` with the status and the last lines of its logs where it does not.
    mutating func untilRunning() async throws -> DeploymentStatus {
        while true {
            let status = try await look()
            // Requests count against Railway's hourly limit: a build that is over is read once more and no further.
            if !isBuilt { try await passOn(.build) }
            isBuilt = isBuilt || status.hasStarted
            if status.hasStarted { try await passOn(.deploy) }
            if status.isRunning { return status }
            if status.hasFailed { throw failure(status) }
            if status.needsApproval {
                throw PluginError(
                    .upstream,
                    "the deployment \(id) waits for an approval on Railway (\(status.name)); approve it there, or let "
                        + "the token's account deploy without one")
            }
            try await api.call.sleep(milliseconds: api.settings.pollInterval)
        }
    }

    private func look() async throws -> DeploymentStatus {
        var failures = 0
        while true {
            do {
                return try await api.status(ofDeployment: id)
            } catch let error as PluginError where error.isRetryable {
                failures += 1
                let pause = error.retryAfterMilliseconds ?? 0
                guard failures <= Self.maximumFailures, pause <= Self.maximumPause else { throw error }
                try await api.call.sleep(milliseconds: max(api.settings.pollInterval, UInt64(pause)))
            }
        }
    }

    /// Reads a log to its end. One that cannot be read is no failure of the deployment.
    private mutating func passOn(_ stream: LogStream) async throws {
        for _ in 0..<Self.maximumPages {
            let page: [LogEntry]
            do {
                page = try await entries(of: stream, from: cursors[stream]?.position)
            } catch let error as PluginError where error.code != .cancelled {
                api.call.log(.warning, "a log could not be read", fields: ["deployment": id, "error": error.message])
                return
            }
            let fresh = cursors[stream, default: LogCursor()].take(page)
            for entry in fresh {
                for line in entry.message.split(whereSeparator: \.isNewline) {
                    let line = cleared(String(line))
                    keep(line)
                    try await api.call.emit(log: stream, line)
                }
            }
            guard page.count >= Self.pageSize, !fresh.isEmpty else { return }
        }
    }

    private func entries(of stream: LogStream, from position: String?) async throws -> [LogEntry] {
        var variables = JSONObject()
        variables["deploymentId"] = .string(id)
        variables["limit"] = .integer(Self.pageSize)
        variables["startDate"] = position.map(JSON.string)
        let page =
            switch stream {
            case .build: try await api.perform(.buildLogs, .object(variables), field: "buildLogs")
            case .deploy: try await api.perform(.deploymentLogs, .object(variables), field: "deploymentLogs")
            }
        return try page.list().compactMap { entry in
            guard let message = entry["message"].optionalText else { return nil }
            return LogEntry(timestamp: entry["timestamp"].optionalText ?? "", message: message)
        }
    }

    private func cleared(_ line: String) -> String {
        confidential.reduce(line) { line, value in value.isEmpty ? line : line.replacing(value, with: "***") }
    }

    private mutating func keep(_ line: String) {
        tail.append(String(line.prefix(Self.tailLineLength)))
        if tail.count > Self.tailLines { tail.removeFirst() }
    }

    private func failure(_ status: DeploymentStatus) -> PluginError {
        PluginError(
            .upstream,
            "the deployment \(id) on Railway ended with \(status.name)"
                + (tail.isEmpty ? "; it wrote no logs" : "; its last lines:\n" + tail.joined(separator: "\n")))
    }
}
