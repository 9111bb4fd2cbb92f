public import PluginKit

/// A plugin whose operations each exercise one part of the ABI, for the tests of host and kit.
struct FixturePlugin: Plugin {
    static let manifest = Array(
        """
        {"id":"fixture","name":"Fixture","version":"0.1.0","license":"Apache-2.0",
         "abi":{"major":0,"min_host_minor":1},
         "operations":[{"name":"fixture.run","streaming":true,"cancellable":true,"cost_class":"free"},
                       {"name":"fixture.find","cost_class":"free"},{"name":"fixture.remove","cost_class":"free"}],
         "serves":[{"command":"run","provider":"fixture","operation":"fixture.run","lookup":"fixture.find",
                    "undo":"fixture.remove"}],
         "config":{"type":"object","properties":{
            "base_url":{"type":"string","default":"https://api.example.com","egress":true},
            "model":{"type":"string","default":"fixture-1"},
            "fails":{"type":"boolean","default":false}}},
         "secrets":[{"name":"FIXTURE_KEY","uses":["http","hmac"],"required":true}],
         "egress":["api.example.com"],
         "services":["aib.log/1","aib.http/1","aib.timer/1","aib.hmac/1","aib.blob/1"],
         "limits":{"concurrency":8}}
        """.utf8)

    private let baseURL: String

    init(configuration: JSON, host: Host) throws {
        if configuration["fails"]?.boolValue == true { throw PluginError(.denied, "told to fail") }
        baseURL = configuration["base_url"]?.stringValue ?? ""
        host.log(.info, "fixture is here", fields: ["base_url": baseURL])
    }

    func call(_ call: Call) async throws -> JSON {
        let input = call.input
        switch call.input["do"]?.stringValue {
        case "describe": return describe(call)
        case "post": return try await post(call)
        case "consume": return try await consume(call)
        case "log": return log(call)
        case "download": return try await download(call, upTo: Int(input["limit"]?.integerValue ?? 0))
        case "drop": return try await drop(call)
        case "send_blob": return try await sendBlob(call)
        case "sleep":
            try await call.sleep(milliseconds: UInt64(input["milliseconds"]?.integerValue ?? 0))
            return ["slept": true]
        case "hmac":
            let code = try await call.hmacSHA256(
                secret: input["secret"]?.stringValue ?? "", data: Array((input["data"]?.stringValue ?? "").utf8))
            return .array(code.map { .integer(Int64($0)) })
        case "blob":
            let digest = try await call.putBlob(Array("0123456789".utf8))
            let part = try await call.blob(digest, offset: 3, length: 4)
            return ["digest": .string(digest), "part": .string(String(decoding: part, as: UTF8.self))]
        case "missing_blob":
            return .string(String(decoding: try await call.blob(String(repeating: "0", count: 64)), as: UTF8.self))
        case "emit_logs": return try await emitLogs(call)
        case "send_secret": return try await sendSecret(call)
        case "tell": return try await tell(call, input["text"]?.stringValue ?? "")
        case "emit": return try await emit(call, bytes: Int(input["bytes"]?.integerValue ?? 0))
        case "throw": throw Oddity()
        case "fail":
            throw PluginError(
                .upstream, "the provider is overloaded", isRetryable: true, retryAfterMilliseconds: 2_000, status: 529,
                providerRequestID: "req_1", usage: ["input_tokens": 7], rawUsage: ["in": 7], isUsageFinal: true)
        case "return_after_cancel":
            try? await call.sleep(milliseconds: 3_600_000)
            return ["cancelled": .bool(Task.isCancelled)]
        case "spin": return spin()
        default: throw PluginError(.unsupported, "nothing to do")
        }
    }

    private struct Oddity: Error {}

    /// Says what the host alone may say, and what a terminal would obey.
    private func log(_ call: Call) -> JSON {
        call.log(
            .info, "one\n\u{1B}[31mtwo s3cr3t-value\u{301}",
            fields: ["plugin": "host", "call": "none", "a\nb": "c\td"])
        return .null
    }

    /// Reads for as long as something comes.
    private func consume(_ call: Call) async throws -> JSON {
        let response = try await call.send(HTTPRequest(method: "GET", url: baseURL + "/endless"))
        for try await _ in response.body {}
        return .null
    }

    private func describe(_ call: Call) -> JSON {
        call.log(.info, "describing", fields: ["tenant": call.tenant])
        return [
            "operation": .string(call.operation), "attempt": .integer(Int64(call.attempt)),
            "tenant": .string(call.tenant), "trace": .string(call.trace), "key": .string(call.idempotencyKey),
            "deadline": .integer(Int64(call.deadlineUnixMilliseconds)),
        ]
    }

    /// Streams a body up and an answer down, and tells what came back.
    private func post(_ call: Call) async throws -> JSON {
        let pieces = Int(call.input["pieces"]?.integerValue ?? 0)
        let length = call.input["length"].map { [("Content-Length", $0.text)] } ?? []
        let request = HTTPRequest(
            method: "POST", url: baseURL + "/echo",
            headers: [("authorization", "Bearer {{secret:FIXTURE_KEY}}"), ("x-trace", call.trace)] + length,
            body: .stream { writer in
                for index in 0..<pieces {
                    try await writer.write([UInt8](repeating: UInt8(index % 256), count: 40_000))
                }
            }, timeoutMilliseconds: 60_000)
        let response = try await call.send(request)
        var bytes = 0
        var sum: Int64 = 0
        for try await piece in response.body {
            bytes += piece.count
            for byte in piece { sum += Int64(byte) }
        }
        return [
            "status": .integer(Int64(response.status)), "version": .string(response.version),
            "type": .string(response.header("Content-Type") ?? "none"), "bytes": .integer(Int64(bytes)),
            "sum": .integer(sum),
        ]
    }

    private func download(_ call: Call, upTo limit: Int) async throws -> JSON {
        let response = try await call.send(HTTPRequest(method: "GET", url: baseURL + "/download"))
        // The reader lags: by the time it looks, the peer has been held back.
        try await call.sleep(milliseconds: 20)
        return .integer(Int64(try await response.collect(upTo: limit).count))
    }

    /// Reads one piece of an answer and loses interest, then goes on for long enough that the host would notice.
    private func drop(_ call: Call) async throws -> JSON {
        do {
            let response = try await call.send(HTTPRequest(method: "GET", url: baseURL + "/endless"))
            for try await _ in response.body { break }
        }
        try await call.sleep(milliseconds: 3_600_000)
        return .null
    }

    private func sendBlob(_ call: Call) async throws -> JSON {
        let digest = try await call.putBlob(Array("blob body".utf8))
        let response = try await call.send(
            HTTPRequest(method: "PUT", url: baseURL + "/echo", body: .blob(digest)))
        return .string(String(decoding: try await response.collect(upTo: 1_000), as: UTF8.self))
    }

    /// Emits lines of both logs in turn, as many as it is asked for.
    private func emitLogs(_ call: Call) async throws -> JSON {
        for line in 0..<(call.input["lines"]?.integerValue ?? 0) {
            try await call.emit(log: line % 2 == 0 ? .build : .deploy, "line \(line)")
        }
        if let text = call.input["text"]?.stringValue { try await call.emit(log: .build, text) }
        return .null
    }

    /// Puts a secret of the call and one of its own into header and body.
    private func sendSecret(_ call: Call) async throws -> JSON {
        let id = call.input["password"]?["$secret"]?.stringValue ?? ""
        let json: JSON = ["password": .string("{{secret:\(id)}}"), "key": "{{secret:FIXTURE_KEY}}"]
        let body: HTTPRequest.Body =
            switch call.input["as"]?.stringValue {
            case "blob": .blob(try await call.putBlob(json.bytes))
            case "stream": .stream { try await $0.write(json.bytes) }
            default: .bytes(json.bytes)
            }
        let response = try await call.send(
            HTTPRequest(
                method: "POST", url: baseURL + "/echo", headers: [("x-password", "{{secret:\(id)}}")], body: body,
                fillsSecretsInBody: call.input["fills"]?.boolValue ?? true))
        return .string(String(decoding: try await response.collect(upTo: 1_000), as: UTF8.self))
    }

    /// Says a text wherever it can.
    private func tell(_ call: Call, _ text: String) async throws -> JSON {
        call.log(.info, text, fields: ["said": text])
        try await call.emit(log: .deploy, text)
        throw PluginError(.upstream, text, providerRequestID: text)
    }

    private func emit(_ call: Call, bytes: Int) async throws -> JSON {
        let line = String(repeating: "é", count: 5_000)
        var sent = 0
        while sent < bytes {
            try await call.emit(text: line)
            sent += line.utf8.count
        }
        try await call.emit(usage: ["input_tokens": 1, "output_tokens": .integer(Int64(sent))])
        return ["sent": .integer(Int64(sent))]
    }

    /// Holds the instance's thread until it is cancelled, as no plugin should.
    private func spin() -> JSON {
        while !Task.isCancelled {}
        return ["spun": true]
    }
}

@c @implementation public func aib_plugin_entry(_: UInt32, _: UInt32) -> UnsafePointer<aib_entry>? {
    PluginEntry.make(FixturePlugin.self)
}
