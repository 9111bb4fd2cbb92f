import Domain

/// One deployment of a service.
struct RailwayDeployment: Sendable {
    /// Transitions: QUEUED → INITIALIZING → BUILDING → DEPLOYING → SUCCESS → CRASHED; FAILED and REMOVED from each
    /// before SUCCESS, REMOVED from every one. A database's image is not built: it goes from INITIALIZING to DEPLOYING.
    enum Status: String, Sendable {
        case queued = "QUEUED"
        case initializing = "INITIALIZING"
        case building = "BUILDING"
        case deploying = "DEPLOYING"
        case success = "SUCCESS"
        case failed = "FAILED"
        case crashed = "CRASHED"
        case removed = "REMOVED"

        /// Nothing follows but a removal.
        var isSettled: Bool {
            switch self {
            case .queued, .initializing, .building, .deploying: false
            case .success, .failed, .crashed, .removed: true
            }
        }
    }

    struct Line: Sendable {
        /// RFC 3339 with nanoseconds, unlike every other line's.
        let timestamp: String
        let message: String
        let severity: String
    }

    /// Where its files come from.
    enum Source: Sendable {
        /// A gzipped tar that was uploaded.
        case archive([UInt8])
        case image(String)
    }

    /// Lines of each log that are kept; the oldest leave first.
    static let lineLimit = 5_000
    /// Characters of a line that are kept.
    static let lineLength = 4_096

    let id: String
    let number: Int
    let projectID: String
    let key: RailwayState.Instance.Key
    var source: Source
    /// The text that came with an upload.
    let message: String?
    let createdAt: Timestamp
    var status = Status.queued
    var statusUpdatedAt: Timestamp
    var buildLog: [Line] = []
    var deployLog: [Line] = []
    /// Let go when it is to end early.
    let ending = Hold()
    /// Let go when it runs or never will.
    let settled = Hold()

    var meta: JSON {
        var meta = JSONObject()
        meta["cliMessage"] = message.map(JSON.string)
        meta["reason"] = "deploy"
        if case .image(let image) = source { meta["image"] = .string(image) }
        return .object(meta)
    }
}

extension RailwayState {
    /// Changes a deployment's status. Nothing follows a removal, and what is settled is never under way again: a late
    /// line of an application that runs says nothing of how it came up.
    mutating func move(_ id: String, to status: RailwayDeployment.Status, at time: Timestamp) {
        guard let index = deployments.firstIndex(where: { $0.id == id }), deployments[index].status != .removed,
            deployments[index].status != status, status.isSettled || !deployments[index].status.isSettled
        else { return }
        deployments[index].status = status
        deployments[index].statusUpdatedAt = time
    }

    /// Adds a line to one of a deployment's logs.
    mutating func log(_ stream: ApplicationLogStream, _ message: String, of id: String, at time: Timestamp) {
        guard let index = deployments.firstIndex(where: { $0.id == id }) else { return }
        lastLogMoment = max(lastLogMoment + 1, time.microseconds * 1_000)
        let fraction = String(lastLogMoment % 1_000_000_000)
        let seconds = Timestamp(microseconds: lastLogMoment / 1_000).description.prefix(19)
        let line = RailwayDeployment.Line(
            timestamp: "\(seconds).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)Z",
            message: String(message.prefix(RailwayDeployment.lineLength)),
            severity: stream == .standardError ? "error" : "info")
        if stream == .build {
            deployments[index].buildLog.append(line)
            if deployments[index].buildLog.count > RailwayDeployment.lineLimit {
                deployments[index].buildLog.removeFirst()
            }
        } else {
            deployments[index].deployLog.append(line)
            if deployments[index].deployLog.count > RailwayDeployment.lineLimit {
                deployments[index].deployLog.removeFirst()
            }
        }
    }

    /// The deployment of an instance that runs now.
    func running(_ key: Instance.Key) -> RailwayDeployment? {
        deployments.last { $0.key == key && $0.status == .success }
    }
}

/// A moment as clients write it, so that two can be compared as text.
struct RailwayMoment: Sendable, Comparable {
    private let text: String

    /// Reads RFC 3339 in UTC with up to nine digits of fraction.
    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|\+00:00)/)
        else { return nil }
        let fraction = match.3 ?? ""
        self.text =
            "\(match.1)T\(match.2).\(fraction)" + String(repeating: "0", count: 9 - fraction.count)
    }

    static func < (left: RailwayMoment, right: RailwayMoment) -> Bool { left.text < right.text }
}
