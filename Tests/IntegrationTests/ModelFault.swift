import Domain

/// One row of the table of models' faults: what a provider of models does, and what comes of it.
struct ModelFault: Sendable {
    enum Metered: String, Sendable {
        /// The provider took nothing: settled, at no cost.
        case nothing
        /// To the provider's own figures.
        case settled
        /// To what the provider had stated before it broke off.
        case estimated
        /// The provider may have been paid, and has not said what.
        case unknown
    }

    struct Outcome: Sendable {
        let error: String
        /// Calls of one step with three attempts, where the fault lasts.
        let calls: Int
        let metered: Metered
    }

    let id: String
    let fault: JSON
    let claude: Outcome
    let codex: Outcome
    /// What OpenAI does, where that is another thing.
    var codexFault: JSON?
    /// Whether the attempt has to be ended by its own deadline.
    var isHasty = false

    init(
        _ id: String, _ fault: JSON, _ error: String, _ calls: Int, _ metered: Metered, codex: Outcome? = nil,
        codexFault: JSON? = nil, isHasty: Bool = false
    ) {
        self.id = id
        self.fault = fault
        claude = Outcome(error: error, calls: calls, metered: metered)
        self.codex = codex ?? claude
        self.codexFault = codexFault
        self.isHasty = isHasty
    }

    /// OpenAI states its usage at the end alone: what breaks off before has an unknown one.
    private static func broken(
        _ id: String, _ fault: JSON, error: String = "provider_failed", isHasty: Bool = false
    ) -> ModelFault {
        ModelFault(
            id, fault, error, 3, .estimated, codex: Outcome(error: error, calls: 3, metered: .unknown),
            isHasty: isHasty)
    }

    private static func status(_ status: Int64) -> JSON { ["kind": "status", "status": .integer(status)] }

    static let all = [
        ModelFault(
            "rate-limit", ["kind": "status", "status": 429, "retry_after": "1"], "provider_rate_limited", 3, .nothing),
        ModelFault(
            "rate-limit-for-long", ["kind": "status", "status": 429, "retry_after": "301"], "provider_rate_limited", 1,
            .nothing),
        ModelFault(
            "no-credit", status(402), "provider_out_of_credit", 1, .nothing,
            codexFault: [
                "kind": "status", "status": 429,
                "body": #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            ]),
        ModelFault("bad-request", status(400), "provider_rejected", 1, .nothing),
        ModelFault("bad-key", status(401), "provider_denied", 1, .nothing),
        ModelFault("forbidden", status(403), "provider_denied", 1, .nothing),
        ModelFault("too-large", status(413), "provider_rejected", 1, .nothing),
        ModelFault("redirect", status(307), "provider_failed", 1, .unknown),
        ModelFault("server-error", status(500), "provider_failed", 3, .nothing),
        ModelFault(
            "bad-gateway", ["kind": "status", "status": 502, "body": "<html>Bad gateway"], "provider_failed", 3,
            .nothing),
        ModelFault("unavailable", status(503), "provider_failed", 3, .nothing),
        ModelFault("overloaded", status(529), "provider_overloaded", 3, .nothing),
        ModelFault(
            "told-not-to-retry", ["kind": "status", "status": 500, "should_retry": false], "provider_failed", 1,
            .nothing),
        ModelFault(
            "overloaded-in-stream", ["kind": "overloaded_in_stream"], "provider_overloaded", 3, .estimated,
            codex: Outcome(error: "provider_failed", calls: 3, metered: .unknown)),
        ModelFault("cut-at-once", ["kind": "cut", "after_events": 0], "provider_failed", 3, .unknown),
        broken("cut", ["kind": "cut"]),
        broken("cut-in-character", ["kind": "cut_in_character"]),
        broken("ended-early", ["kind": "end_early"]),
        ModelFault("lost-response", ["kind": "lost_response"], "provider_failed", 3, .unknown),
        ModelFault("stall", ["kind": "stall"], "step_timeout", 3, .unknown, isHasty: true),
        broken("stall-in-stream", ["kind": "stall", "after_events": 3], error: "step_timeout", isHasty: true),
        broken("invalid-json", ["kind": "invalid_json"]),
        ModelFault("prose", ["kind": "prose"], "provider_failed", 3, .settled),
        ModelFault("wrong-schema", ["kind": "wrong_schema"], "invalid_answer", 2, .settled),
    ]
}
