import Domain

/// What the next matching calls shall meet instead of a good answer.
struct Fault: Sendable {
    enum Kind: Sendable {
        /// An error status. The provider's own error body is sent where `body` is nil.
        case status(Int, retryAfter: String?, shouldRetry: Bool?, body: String?)
        /// The connection ends in the middle of the answer.
        case cut
        /// An answer that is not JSON.
        case invalidJSON
        /// Silence until the fault is deleted, then the good answer.
        case stall(Hold)
        /// An error inside a stream that began well.
        case overloadedInStream
        case railway(RailwayFault)
    }

    /// When a fault is met: while a call is answered, or by what a call has begun.
    enum Moment: Sendable { case call, deployment, domain }

    let provider: Provider
    let kind: Kind
    /// How much of a stream goes out before it happens.
    let afterEvents: Int
    /// Only calls whose prompt contains this text; nil means all.
    let match: String?
    var times: Int

    var moment: Moment { if case .railway(let fault) = kind { fault.moment } else { .call } }

    /// Where those wait that the fault holds; nil for a fault that holds nobody.
    var hold: Hold? {
        switch kind {
        case .stall(let hold), .railway(.buildHangs(let hold)): hold
        default: nil
        }
    }

    func matches(_ provider: Provider, prompt: String, at moment: Moment) -> Bool {
        self.provider == provider && self.moment == moment && (match.map { prompt.contains($0) } ?? true)
    }
}

extension Fault {
    private static func kinds(of provider: Provider) -> [String] {
        let kinds = ["status", "cut", "invalid_json", "stall"]
        return kinds + (provider == .railway ? RailwayFault.names : ["overloaded_in_stream"])
    }

    /// Reads the body of `POST /faults`.
    init(_ json: JSON) throws(ControlRefusal) {
        let reader = try ControlReader(
            json,
            allowed: [
                "provider", "kind", "status", "retry_after", "should_retry", "body", "after_events", "times", "match",
            ])
        provider = try reader.provider()
        match = try reader.text("match")
        times = try reader.count("times", in: 1...1_000_000) ?? 1
        let kinds = Self.kinds(of: provider)
        guard let name = try reader.text("kind"), kinds.contains(name) else {
            throw ControlRefusal("kind must be one of \(kinds.joined(separator: ", "))")
        }
        if name != "status", let stray = ["status", "retry_after", "should_retry", "body"].first(where: reader.has) {
            throw ControlRefusal("\(stray) goes with kind status only, not with \(name)")
        }
        let events = try reader.count("after_events", in: 0...1_000_000)
        if provider == .railway, events != nil { throw ControlRefusal("after_events goes with no fault of railway") }
        switch name {
        case "status":
            if events != nil { throw ControlRefusal("after_events does not go with kind status") }
            guard let status = try reader.count("status", in: 300...599) else {
                throw ControlRefusal("kind status needs a status from 300 to 599")
            }
            kind = .status(
                status, retryAfter: try reader.text("retry_after"), shouldRetry: try reader.flag("should_retry"),
                body: try reader.text("body"))
            afterEvents = 0
        case "cut":
            kind = .cut
            afterEvents = events ?? 3
        case "invalid_json":
            kind = .invalidJSON
            afterEvents = events ?? 1
        case "stall":
            kind = .stall(Hold())
            afterEvents = events ?? 0
        default:
            kind = RailwayFault(name).map { .railway($0) } ?? .overloadedInStream
            afterEvents = events ?? 4
        }
    }

    /// The fault as `GET /faults` shows it.
    func json(id: Int) -> JSON {
        var object = JSONObject()
        object["id"] = .integer(Int64(id))
        object["provider"] = .string(provider.rawValue)
        switch kind {
        case .status(let status, _, _, _):
            object["kind"] = "status"
            object["status"] = .integer(Int64(status))
        case .cut: object["kind"] = "cut"
        case .invalidJSON: object["kind"] = "invalid_json"
        case .stall: object["kind"] = "stall"
        case .overloadedInStream: object["kind"] = "overloaded_in_stream"
        case .railway(let fault): object["kind"] = .string(fault.name)
        }
        if let hold { object["stalled"] = .array(hold.waiting.map { .integer(Int64($0)) }) }
        if provider != .railway { object["after_events"] = .integer(Int64(afterEvents)) }
        object["match"] = match.map(JSON.string)
        object["times"] = .integer(Int64(times))
        return .object(object)
    }
}
