import PluginKit
import Testing

@testable import CodexPlugin

@Suite struct GenerateRequestTests {
    /// The members the published schema allows and requires, as far as this plugin can send them.
    static func faults(of body: JSON) -> [String] {
        var faults: [String] = []
        func check(_ json: JSON?, _ path: String, required: Set<String>, optional: Set<String> = []) {
            guard let keys = json?.objectValue?.keys else { return faults.append("\(path) is no object") }
            faults += required.subtracting(keys).map { "\(path).\($0) is missing" }
            faults += Set(keys).subtracting(required).subtracting(optional).map { "\(path).\($0) is unknown" }
        }
        check(
            body, "body", required: ["model", "max_output_tokens", "input", "stream", "store", "service_tier"],
            optional: ["instructions", "text"])
        if body["model"]?.stringValue == nil { faults.append("model is no string") }
        if body["max_output_tokens"]?.integerValue ?? 0 < 16 { faults.append("max_output_tokens is no limit") }
        if body["stream"] != true { faults.append("stream is not true") }
        if body["store"] != false { faults.append("store is not false") }
        if body["service_tier"] != "default" { faults.append("service_tier is not default") }
        if let text = body["instructions"], text.stringValue == nil { faults.append("instructions is no string") }
        for message in body["input"]?.arrayValue ?? [] {
            check(message, "message", required: ["role", "content"])
            if !["user", "assistant"].contains(message["role"]?.stringValue ?? "") { faults.append("role is unknown") }
            if message["content"]?.stringValue == nil { faults.append("content is no string") }
        }
        if let text = body["text"] {
            check(text, "text", required: ["format"])
            check(text["format"], "format", required: ["type", "name", "schema", "strict"])
            if text["format"]?["type"] != "json_schema" { faults.append("format.type is unknown") }
            if text["format"]?["strict"] != true { faults.append("format.strict is not true") }
            if text["format"]?["schema"]?.objectValue == nil { faults.append("format.schema is no object") }
        }
        return faults
    }

    @Test func `the check itself finds faults`() {
        let body: JSON = ["model": "m", "max_output_tokens": 1, "input": [["role": "tool"]], "x": 1]
        #expect(Self.faults(of: body).count >= 6)
    }

    private static let inputs: [JSON] = [
        [:], ["system": "s"],
        [
            "messages": [
                ["role": "user", "content": "a"], ["role": "assistant", "content": "b"],
                ["role": "user", "content": "c"],
            ]
        ],
        ["output_schema": ["type": "object", "properties": ["a": ["type": "string", "minLength": 1]]]],
        ["model": "gpt-6-sol", "system": .null, "output_schema": .null, "cache": "5m"],
    ]

    @Test(arguments: inputs)
    func `bodies are what the published schema accepts`(members: JSON) throws {
        #expect(Self.faults(of: try request(members).body) == [])
    }

    @Test func `system, messages and schema go where the API has them`() throws {
        let body = try request([
            "system": "s", "output_schema": ["type": "object", "properties": ["a": ["type": "string"]]],
            "messages": [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]],
        ]).body
        #expect(body["instructions"] == "s")
        #expect(body["input"] == [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]])
        #expect(body["max_output_tokens"] == 100)
        #expect(body["text"]?["format"]?["name"] == "answer")
        #expect(body["text"]?["format"]?["schema"]?["required"] == ["a"])
    }

    @Test func `the key goes by reference, and the call's id along`() throws {
        let http = try request().httpRequest(to: "https://api.openai.com/v1/responses", callID: "call-1")
        #expect(http.method == "POST")
        #expect(
            Dictionary(uniqueKeysWithValues: http.headers) == [
                "authorization": "Bearer {{secret:OPENAI_API_KEY}}", "content-type": "application/json",
                "accept": "text/event-stream", "x-client-request-id": "call-1",
            ])
    }

    private static let bad: [(String, String)] = [
        ("\"a\"", "must be an object"), ("{}", "messages"), (#"{"messages":[]}"#, "messages"),
        (#"{"messages":[{"role":"tool","content":"x"}],"max_output_tokens":16}"#, "messages[0].role"),
        (#"{"messages":[{"role":"user","content":""}],"max_output_tokens":16}"#, "messages[0].content"),
        (#"{"messages":[{"role":"user","content":["x"]}],"max_output_tokens":16}"#, "messages[0].content"),
        (#"{"messages":[{"role":"assistant","content":"x"}],"max_output_tokens":16}"#, "speaks first"),
        (#"{"messages":[{"role":"user","content":"x"}]}"#, "max_output_tokens"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":15}"#, "at least 16"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":16.5}"#, "max_output_tokens"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":16,"model":7}"#, "model"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":16,"system":""}"#, "system"),
        (
            #"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":16,"output_schema":{"type":"array"}}"#,
            "output_schema"
        ),
        (
            #"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":16,"#
                + #""output_schema":{"type":"object","anyOf":[]}}"#, "anyOf at its top level"
        ),
    ]

    @Test(arguments: bad)
    func `bad input is refused by name`(input: String, word: String) throws {
        let json = try JSON.parse(input)
        let error = #expect(throws: PluginError.self) { try GenerateRequest(json, defaultModel: "m") }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }
}

@Suite struct SettingsTests {
    @Test func `the defaults work`() throws {
        let settings = try Settings([:])
        #expect(settings.responsesURL == "https://api.openai.com/v1/responses")
        #expect(settings.defaultModel == Settings.fallbackModel)
    }

    @Test(arguments: ["http://127.0.0.1:9000/openai", "http://127.0.0.1:9000/openai//"])
    func `a base URL is taken with or without its slash`(url: String) throws {
        let settings = try Settings(["base_url": .string(url), "model": "gpt-6-sol"])
        #expect(settings.responsesURL == "http://127.0.0.1:9000/openai/v1/responses")
        #expect(settings.defaultModel == "gpt-6-sol")
    }

    @Test(arguments: ["", "api.openai.com", "ftp://x", "https://key@host", "https://host?x=1"])
    func `a base URL that is none is refused by name`(url: String) {
        let error = #expect(throws: PluginError.self) { try Settings(["base_url": .string(url)]) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("base_url") == true)
    }

    @Test func `a model that is no text is refused`() {
        #expect(throws: PluginError.self) { try Settings(["model": 5]) }
    }

    @Test func `the manifest states the same defaults`() throws {
        let manifest = try JSON.parse(Codex.manifest)
        let properties = manifest["config"]?["properties"]
        #expect(manifest["id"] == "codex" && manifest["ledger_name"] == "openai")
        #expect(manifest["serves"] == [["ai_provider": "openai_codex", "operation": "ai.generate"]])
        #expect(properties?["model"]?["default"]?.stringValue == Settings.fallbackModel)
        #expect(properties?["base_url"]?["default"]?.stringValue == Settings.defaultBaseURL)
        #expect(manifest["secrets"]?.arrayValue?.map { $0["name"] } == [.string(GenerateRequest.keyName)])
        #expect(manifest["egress"] == ["api.openai.com"])
    }
}
