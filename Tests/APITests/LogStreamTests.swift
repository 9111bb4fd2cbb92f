import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite(.timeLimit(.minutes(1))) struct LogStreamTests {
    private static let id = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    private static let path = "/v1/executions/\(id)/logs?stream=true"

    private func fixture(_ messages: [String] = [], state: ExecutionState = .running) -> Fixture {
        let fixture = Fixture()
        fixture.reader.state.withLock {
            $0.runs[Self.id] = .init(user: fixture.caller.userID, messages: messages, state: state)
        }
        return fixture
    }

    private func log(_ messages: String..., state: ExecutionState? = nil, in fixture: Fixture) {
        fixture.reader.state.withLock { reader in
            reader.runs[Self.id]?.messages += messages
            if let state { reader.runs[Self.id]?.state = state }
        }
    }

    private func stream(
        _ fixture: Fixture, _ client: any TestClientProtocol, path: String = path, headers: [String] = [],
        _ body: (inout StreamClient) async throws -> Void
    ) async throws {
        let port = try #require(client.port)
        try await StreamClient.get(
            path, port: port, headers: ["X-API-Key: \(fixture.callerKey)"] + headers, body)
    }

    private func line(_ number: Int, _ message: String) -> String {
        #"id: \#(number)|event: log|data: {"sequence":\#(number),"message":"\#(message)"}"#
    }

    private func waitUntil(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test(arguments: [true, false])
    func `sends what is stored, then what comes, then the end`(tellsState: Bool) async throws {
        let fixture = fixture(["one", "two"])
        fixture.reader.state.withLock { $0.runs[Self.id]?.tellsState = tellsState }
        try await fixture.test(.live) { client in
            try await stream(fixture, client) { stream in
                let head = try await stream.head().map { $0.lowercased() }
                #expect(head.first == "http/1.1 200 ok")
                for field in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
                    #expect(head.contains(field))
                }
                #expect(try await stream.event() == "retry: 1000")
                #expect(try await stream.event() == line(1, "one"))
                #expect(try await stream.event() == line(2, "two"))
                log("three", "four", in: fixture)
                fixture.signals.changed(Self.id)
                #expect(try await stream.event() == line(3, "three"))
                #expect(try await stream.event() == line(4, "four"))
                log("done", state: .failed, in: fixture)
                fixture.signals.changed(Self.id)
                #expect(try await stream.event() == line(5, "done"))
                #expect(try await stream.event() == #"event: end|data: {"status":"failed"}"#)
                #expect(try await stream.isOver())
            }
            await waitUntil { fixture.signals.waiting == 0 && fixture.timer.sleepers == 0 }
        }
    }

    @Test func `a run that is over is sent whole, in as few looks as pages`() async throws {
        let messages = (1...1_200).map { "m\($0)" }
        let fixture = fixture(messages, state: .completed)
        try await fixture.test(.live) { client in
            try await stream(fixture, client) { stream in
                _ = try await stream.head()
                _ = try await stream.event()
                for number in 1...1_200 { #expect(try await stream.event() == line(number, "m\(number)")) }
                #expect(try await stream.event() == #"event: end|data: {"status":"completed"}"#)
            }
        }
        #expect(fixture.reader.state.withLock { $0.logRequests.map(\.after) } == [0, 500, 1_000])
    }

    @Test(arguments: [
        ("", ["Last-Event-ID: 2"]), ("&after=2", []), ("&after=1", ["last-event-id: 2"]),
        ("&after=0", ["Last-Event-ID: 2"]),
    ])
    func `goes on behind the last line that a client has`(query: String, headers: [String]) async throws {
        let fixture = fixture(["one", "two", "three"], state: .cancelled)
        try await fixture.test(.live) { client in
            try await stream(fixture, client, path: Self.path + query, headers: headers) { stream in
                _ = try await stream.head()
                _ = try await stream.event()
                #expect(try await stream.event() == line(3, "three"))
                #expect(try await stream.event() == #"event: end|data: {"status":"cancelled"}"#)
            }
        }
    }

    @Test func `what another host's run logs is found within a second, with one look a second`() async throws {
        let fixture = fixture()
        try await fixture.test(.live) { client in
            try await stream(fixture, client) { stream in
                _ = try await stream.head()
                _ = try await stream.event()
                await waitUntil { fixture.reader.state.withLock { $0.logRequests.count } == 2 }
                log("one", "two", in: fixture)
                await fixture.timer.advance(by: .seconds(1))
                #expect(try await stream.event() == line(1, "one"))
                #expect(try await stream.event() == line(2, "two"))
                #expect(fixture.reader.state.withLock { $0.logRequests.count } == 3)
            }
        }
    }

    @Test func `a heartbeat comes after fifteen seconds of silence`() async throws {
        let fixture = fixture()
        try await fixture.test(.live) { client in
            try await stream(fixture, client) { stream in
                _ = try await stream.head()
                _ = try await stream.event()
                for round in 1...2 {
                    for second in 1...15 {
                        await fixture.timer.advance(by: .seconds(1))
                        // The look behind each second, before the next one passes.
                        let looks = 2 + (round - 1) * 15 + second
                        await waitUntil { fixture.reader.state.withLock { $0.logRequests.count } >= looks }
                    }
                    #expect(try await stream.event() == ":")
                }
            }
        }
    }

    @Test func `a client that goes leaves nothing behind`() async throws {
        let fixture = fixture(["one"])
        try await fixture.test(.live) { client in
            for _ in 0..<3 {
                try await stream(fixture, client) { stream in
                    _ = try await stream.head()
                    await waitUntil { fixture.signals.waiting == 1 && fixture.timer.sleepers == 1 }
                }
                // Nothing was written meanwhile, and no time has passed.
                await waitUntil { fixture.signals.waiting == 0 && fixture.timer.sleepers == 0 }
            }
        }
    }

    @Test func `a database that is away is waited for`() async throws {
        let fixture = fixture(["one"])
        try await fixture.test(.live) { client in
            try await stream(fixture, client) { stream in
                _ = try await stream.head()
                _ = try await stream.event()
                #expect(try await stream.event() == line(1, "one"))
                fixture.reader.state.withLock { $0.failure = LedgerError(.unavailable, "away") }
                let looks = fixture.reader.state.withLock { $0.logRequests.count }
                fixture.signals.changed(Self.id)
                await waitUntil { fixture.reader.state.withLock { $0.logRequests.count } > looks }
                log("two", in: fixture)
                fixture.reader.state.withLock { $0.failure = nil }
                await fixture.timer.advance(by: .seconds(1))
                #expect(try await stream.event() == line(2, "two"))
            }
        }
    }

    @Test func `a server that stops ends its streams`() async throws {
        let fixture = fixture(["one"])
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let reading = Mutex<Task<Bool, any Error>?>(nil)
        try await fixture.test(.live) { client in
            let port = try #require(client.port)
            let task = Task {
                let isOver = Mutex(false)
                try await StreamClient.get(
                    Self.path, port: port, headers: ["X-API-Key: \(fixture.callerKey)"]
                ) { stream in
                    _ = try await stream.head()
                    _ = try await stream.event()
                    _ = try await stream.event()
                    start.finish()
                    let isEnd = try await stream.isOver()
                    isOver.withLock { $0 = isEnd }
                }
                return isOver.withLock { $0 }
            }
            reading.withLock { $0 = task }
            for await _ in started {}
        }
        let task = try #require(reading.withLock { $0 })
        let isOver = try await task.value
        #expect(isOver)
        #expect(fixture.signals.waiting == 0)
    }

    @Test func `streams are counted, for each user and for all`() async throws {
        var fixture = fixture()
        fixture.streamLimits = StreamLimits(perUser: 1, total: 1)
        try await fixture.test(.live) { [fixture] client in
            let other = fixture.otherKey()
            // A HEAD request takes no place for longer than it lasts.
            let head = try await client.execute(uri: Self.path, method: .head, headers: fixture.key)
            #expect(head.status == .ok)
            try await stream(fixture, client) { stream in
                _ = try await stream.head()
                let second = try await client.get(Self.path, fixture.key)
                _ = try second.problem(.tooManyStreams)
                #expect(second.headers[.retryAfter] == "5")
                let others = try await client.get(Self.path, other)
                _ = try others.problem(.overloaded)
                #expect(others.headers[.retryAfter] == "1")
            }
            await waitUntil { fixture.signals.waiting == 0 }
            log("over", state: .completed, in: fixture)
            var response = try await client.get(Self.path, fixture.key)
            while response.status == .tooManyRequests { response = try await client.get(Self.path, fixture.key) }
            #expect(response.text.hasSuffix("event: end\ndata: {\"status\":\"completed\"}\n\n"))
        }
    }

    @Test(arguments: ["-1", "x", "", "1.5", "+1", " 1 2", "99999999999999999999"])
    func `an event id that is none is refused`(id: String) async throws {
        let fixture = fixture()
        try await fixture.test { client in
            var headers = fixture.key
            headers[.lastEventID] = id
            let problem = try await client.get(Self.path, headers).problem(.invalidHeader)
            #expect(problem.faults == ["Last-Event-ID invalid_last_event_id"])
        }
    }

    @Test func `another user's run, and one that never was, have no stream`() async throws {
        let fixture = fixture()
        try await fixture.test { client in
            _ = try await client.get(Self.path, fixture.otherKey()).problem(.executionNotFound)
            _ = try await client.get("/v1/executions/7/logs?stream=true", fixture.key).problem(.executionNotFound)
            let problem = try await client.get(Self.path + "&limit=5", fixture.key).problem(.unsupportedParameter)
            #expect(problem.faults == ["limit unsupported_parameter"])
        }
    }

    @Test func `a line is one line, whatever is in it`() {
        let lines = #"[{"a":"]},{\"\\","b":[{"c":1}]},\#n\#r{"sequence": \#n2}, {}]"#
        var buffer = ByteBuffer()
        ServerSentEvents.append(LogPage(lines: lines, lastSequence: 9, hasMore: false), to: &buffer)
        let expected = [
            #"{"a":"]},{\"\\","b":[{"c":1}]}"#, #"{"sequence": 2}"#, "{}",
        ].enumerated().map { "id: \($0 + 7)\nevent: log\ndata: \($1)\n\n" }.joined()
        #expect(String(buffer: buffer) == expected)
    }
}
