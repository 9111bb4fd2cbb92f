import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import Sandbox

/// A wall clock that tests move by hand.
final class ManualClock: WallClock {
    private let time = Mutex(Timestamp(microseconds: 1_800_000_000_000_000))
    func now() -> Timestamp { time.withLock(\.self) }
    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

/// A clock whose sleepers wake at once; it remembers how long they meant to sleep.
final class RecordingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration = .zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let slept = Mutex<[Duration]>([])
    var sleeps: [Duration] { slept.withLock(\.self) }
    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        slept.withLock { $0.append(deadline.offset) }
    }
}

/// A live sandbox and a client for it.
struct SandboxClient: Sendable {
    let http: any TestClientProtocol

    static let messages = "/anthropic/v1/messages"

    func call(
        _ method: HTTPRequest.Method, _ uri: String, _ body: JSON? = nil, headers: [String: String] = [:]
    ) async throws -> TestResponse {
        try await http.execute(
            uri: uri, method: method, headers: Self.fields(headers), body: body.map { ByteBuffer(bytes: $0.bytes) })
    }

    /// Sends a Messages request with a good key and version.
    func message(_ body: JSON, headers: [String: String] = [:], to uri: String = messages) async throws -> TestResponse
    {
        try await call(.post, uri, body, headers: Self.goodHeaders.merging(headers) { $1 })
    }

    func ledger() async throws -> [JSON] {
        try await call(.get, "/ledger").json["calls"]?.arrayValue ?? []
    }

    /// Looks into the ledger until a call is in this state; a cut connection takes its time to be noticed.
    func ledgerEntry(_ index: Int, in state: String) async throws -> JSON {
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        while ContinuousClock.now < deadline {
            let calls = try await ledger()
            if calls.indices.contains(index), calls[index]["state"]?.stringValue == state { return calls[index] }
        }
        Issue.record("call \(index) did not reach \(state): \(try await ledger())")
        return .null
    }

    static let goodHeaders = [
        "x-api-key": "sk-ant-test-key", "anthropic-version": "2023-06-01", "content-type": "application/json",
    ]

    static func fields(_ headers: [String: String]) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return fields
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    var json: JSON {
        get throws { try JSON.parse(text) }
    }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// The events of an SSE body: name and data, in order.
    var events: [(name: String, data: JSON)] {
        get throws {
            try text.split(separator: "\n\n").map { block in
                let lines = block.split(separator: "\n")
                return (
                    String(lines[0].dropFirst("event: ".count)),
                    try JSON.parse(String(lines[1].dropFirst("data: ".count)))
                )
            }
        }
    }

    /// The text that the deltas of a stream add up to.
    var streamedText: String {
        get throws { try events.compactMap { $0.data["delta"]?["text"]?.stringValue }.joined() }
    }
}

func withSandbox(
    keys: AcceptedKeys = .anyNonEmpty, latency: Latency = .none, rateLimits: RateLimits = RateLimits(),
    fixtures: AnswerFixtures = AnswerFixtures(), clock: any Clock<Duration> = ContinuousClock(),
    wallClock: any WallClock = SystemWallClock(), _ test: @Sendable (SandboxClient) async throws -> Void
) async throws {
    var logger = Logger(label: "sandbox-tests")
    logger.logLevel = .error
    let sandbox = try Sandbox(
        configuration: .init(acceptedKeys: keys, latency: latency, rateLimits: rateLimits), fixtures: fixtures,
        logger: logger, clock: clock, wallClock: wallClock)
    try await sandbox.application.test(.ahc(.http)) { client in
        // A failed test must not leave a call held: the server would wait for it for ever.
        defer { sandbox.control.releaseEverything() }
        try await test(SandboxClient(http: client))
    }
}

/// A good request; members given here replace or (null) remove its own.
func body(_ changes: JSON = [:]) -> JSON {
    var body = JSONObject()
    body["model"] = "claude-sonnet-5-5"
    body["max_tokens"] = 1000
    body["messages"] = [["role": "user", "content": "Plan a bakery shop"]]
    for member in changes.objectValue?.members ?? [] {
        body[member.key] = member.value.isNull ? nil : member.value
    }
    return .object(body)
}

let answerSchema: JSON = [
    "type": "object", "additionalProperties": false, "required": ["summary", "files"],
    "properties": [
        "summary": ["type": "string"],
        "files": [
            "type": "array",
            "items": [
                "type": "object", "additionalProperties": false, "required": ["path", "content"],
                "properties": ["path": ["type": "string"], "content": ["type": "string"]],
            ],
        ],
    ],
]

func outputConfig(_ schema: JSON) -> JSON { ["format": ["type": "json_schema", "schema": schema]] }
