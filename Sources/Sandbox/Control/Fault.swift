import Domain

/// What the next matching calls shall meet instead of a good answer.
struct Fault: Sendable {
    enum Kind: Sendable {
        /// An error status. The provider's own error body is sent where `body` is nil.
        case status(Int, retryAfter: String?, shouldRetry: Bool?, body: String?)
        /// The connection ends in the middle of the answer.
        case cut
        /// The same, inside a character of more than one byte.
        case cutInCharacter
        /// The stream ends in good order, but without its last events.
        case endEarly
        /// An answer that is not JSON.
        case invalidJSON
        /// Silence until the fault is deleted, then the good answer.
        case stall(Hold)
        /// An error inside a stream that began well.
        case overloadedInStream
        /// The service's part is good, and what the model writes is not what was asked for.
        case flawed(AnswerFlaw)
        /// Everything was done, but the connection ends before a byte of the answer.
        case lostResponse
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

    /// What it makes the model write wrong.
    var flaw: AnswerFlaw? { if case .flawed(let flaw) = kind { flaw } else { nil } }

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
        let kinds = ["status", "cut", "invalid_json", "stall", "lost_response"]
        let models = ["cut_in_character", "end_early", "overloaded_in_stream"] + AnswerFlaw.allCases.map(\.rawValue)
        return kinds + (provider == .railway ? RailwayFault.names : models)
    }

    /// How many events go out before a fault happens in a stream, unless the fault says so; nil for one that does not
    /// happen in a stream.
    private static func usualEvents(_ kind: String) -> Int? {
        switch kind {
        case "stall": 0
        case "invalid_json": 1
        case "cut", "cut_in_character", "end_early": 3
        case "overloaded_in_stream": 4
        default: nil
        }
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
            throw ControlRefusal("kind must be one of \(kinds.joined(separator: ", ")) for \(provider.rawValue)")
        }
        if name != "status", let stray = ["status", "retry_after", "should_retry", "body"].first(where: reader.has) {
            throw ControlRefusal("\(stray) goes with kind status only, not with \(name)")
        }
        let events = try reader.count("after_events", in: 0...1_000_000)
        if provider == .railway, events != nil { throw ControlRefusal("after_events goes with no fault of railway") }
        let usual = Self.usualEvents(name)
        if usual == nil, events != nil { throw ControlRefusal("after_events does not go with kind \(name)") }
        afterEvents = events ?? usual ?? 0
        kind = name == "status" ? try Self.status(reader) : Self.kind(name)
    }

    private static func status(_ reader: ControlReader) throws(ControlRefusal) -> Kind {
        guard let status = try reader.count("status", in: 300...599) else {
            throw ControlRefusal("kind status needs a status from 300 to 599")
        }
        return .status(
            status, retryAfter: try reader.text("retry_after"), shouldRetry: try reader.flag("should_retry"),
            body: try reader.text("body"))
    }

    /// - Parameter name: one of `kinds(of:)`, but not `status`.
    private static func kind(_ name: String) -> Kind {
        switch name {
        case "cut": .cut
        case "cut_in_character": .cutInCharacter
        case "end_early": .endEarly
        case "invalid_json": .invalidJSON
        case "stall": .stall(Hold())
        case "lost_response": .lostResponse
        default:
            AnswerFlaw(rawValue: name).map { .flawed($0) } ?? RailwayFault(name).map { .railway($0) }
                ?? .overloadedInStream
        }
    }

    private var name: String {
        switch kind {
        case .status: "status"
        case .cut: "cut"
        case .cutInCharacter: "cut_in_character"
        case .endEarly: "end_early"
        case .invalidJSON: "invalid_json"
        case .stall: "stall"
        case .overloadedInStream: "overloaded_in_stream"
        case .flawed(let flaw): flaw.rawValue
        case .lostResponse: "lost_response"
        case .railway(let fault): fault.name
        }
    }

    /// The fault as `GET /faults` shows it.
    func json(id: Int) -> JSON {
        var object = JSONObject()
        object["id"] = .integer(Int64(id))
        object["provider"] = .string(provider.rawValue)
        object["kind"] = .string(name)
        if case .status(let status, _, _, _) = kind { object["status"] = .integer(Int64(status)) }
        if let hold { object["stalled"] = .array(hold.waiting.map { .integer(Int64($0)) }) }
        if provider != .railway, Self.usualEvents(name) != nil {
            object["after_events"] = .integer(Int64(afterEvents))
        }
        object["match"] = match.map(JSON.string)
        object["times"] = .integer(Int64(times))
        return .object(object)
    }
}
