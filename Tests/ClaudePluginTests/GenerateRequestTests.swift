import PluginKit
import Testing

@testable import ClaudePlugin

@Suite struct GenerateRequestTests {
    /// The members the published schema allows and requires, as far as this plugin can send them.
    static func faults(of body: JSON) -> [String] {
        var faults: [String] = []
        func check(_ json: JSON?, _ path: String, required: Set<String>, optional: Set<String> = []) {
            guard let keys = json?.objectValue?.keys else { return faults.append("\(path) is no object") }
            faults += required.subtracting(keys).map { "\(path).\($0) is missing" }
            faults += Set(keys).subtracting(required).subtracting(optional).map { "\(path).\($0) is unknown" }
        }
        func checkContent(_ json: JSON?, _ path: String) {
            if json?.stringValue != nil { return }
            guard let blocks = json?.arrayValue, !blocks.isEmpty else { return faults.append("\(path) is no content") }
            for block in blocks {
                check(block, path, required: ["type", "text"], optional: ["cache_control"])
                if block["type"] != "text" || block["text"]?.stringValue == nil { faults.append("\(path) is no text") }
                guard let control = block["cache_control"] else { continue }
                check(control, "\(path).cache_control", required: ["type"], optional: ["ttl"])
                if control["type"] != "ephemeral" || !["5m", "1h"].contains(control["ttl"]?.stringValue ?? "5m") {
                    faults.append("\(path).cache_control is no lifetime")
                }
            }
        }
        check(
            body, "body", required: ["model", "max_tokens", "messages", "stream"],
            optional: ["system", "output_config"])
        if body["model"]?.stringValue == nil { faults.append("model is no string") }
        if body["max_tokens"]?.integerValue == nil { faults.append("max_tokens is no integer") }
        if body["stream"] != true { faults.append("stream is not true") }
        if let system = body["system"] { checkContent(system, "system") }
        for message in body["messages"]?.arrayValue ?? [] {
            check(message, "message", required: ["role", "content"])
            if !["user", "assistant"].contains(message["role"]?.stringValue ?? "") { faults.append("role is unknown") }
            checkContent(message["content"], "content")
        }
        if let config = body["output_config"] {
            check(config, "output_config", required: ["format"])
            check(config["format"], "format", required: ["type", "schema"])
            if config["format"]?["type"] != "json_schema" { faults.append("format.type is unknown") }
            if config["format"]?["schema"]?.objectValue == nil { faults.append("format.schema is no object") }
        }
        return faults
    }

    @Test func theCheckItselfFindsFaults() {
        #expect(Self.faults(of: ["model": "m", "max_tokens": "1", "messages": [["role": "tool"]], "x": 1]).count >= 5)
    }

    @Test func buildsBodiesThePublishedSchemaAccepts() throws {
        let history: JSON = [
            ["role": "user", "content": "a"], ["role": "assistant", "content": "b"], ["role": "user", "content": "c"],
        ]
        for members: JSON in [
            [:], ["system": "s"], ["cache": "5m"], ["system": "s", "cache": "1h", "messages": history],
            ["output_schema": ["type": "object", "properties": ["a": ["type": "integer", "minimum": 1]]]],
            ["model": "claude-opus-5-5", "system": .null, "cache": .null, "output_schema": .null],
        ] {
            #expect(Self.faults(of: try request(members).body) == [], "\(members.text)")
        }
    }

    @Test func marksTheSystemPromptAndTheFirstMessageForTheCache() throws {
        let body = try request([
            "system": "s", "cache": "1h",
            "messages": [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]],
        ]).body
        let control: JSON = ["type": "ephemeral", "ttl": "1h"]
        #expect(body["system"] == [["type": "text", "text": "s", "cache_control": control]])
        #expect(
            body["messages"] == [
                ["role": "user", "content": [["type": "text", "text": "a", "cache_control": control]]],
                ["role": "assistant", "content": "b"],
            ])
    }

    @Test func sendsTheKeyByReferenceAndTheCallsID() throws {
        let http = try request().httpRequest(to: "https://api.anthropic.com/v1/messages", callID: "call-1")
        let headers = Dictionary(uniqueKeysWithValues: http.headers)
        #expect(http.method == "POST")
        #expect(
            headers == [
                "x-api-key": "{{secret:ANTHROPIC_API_KEY}}", "anthropic-version": "2023-06-01",
                "content-type": "application/json", "accept": "text/event-stream", "x-aibackend-call-id": "call-1",
            ])
    }

    @Test(arguments: [
        ("\"a\"", "must be an object"), ("{}", "messages"), (#"{"messages":[]}"#, "messages"),
        (#"{"messages":[{"role":"tool","content":"x"}],"max_output_tokens":1}"#, "messages[0].role"),
        (#"{"messages":[{"role":"user","content":""}],"max_output_tokens":1}"#, "messages[0].content"),
        (#"{"messages":[{"role":"user","content":["x"]}],"max_output_tokens":1}"#, "messages[0].content"),
        (#"{"messages":[{"role":"assistant","content":"x"}],"max_output_tokens":1}"#, "speaks first"),
        (#"{"messages":[{"role":"user","content":"x"}]}"#, "max_output_tokens"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":0}"#, "max_output_tokens"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":1.5}"#, "max_output_tokens"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":1,"cache":"2h"}"#, "\"2h\""),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":1,"model":7}"#, "model"),
        (#"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":1,"system":""}"#, "system"),
        (
            #"{"messages":[{"role":"user","content":"x"}],"max_output_tokens":1,"output_schema":{"type":"array"}}"#,
            "output_schema"
        ),
    ])
    func refusesBadInputByName(input: String, word: String) throws {
        let json = try JSON.parse(input)
        let error = #expect(throws: PluginError.self) { try GenerateRequest(json, defaultModel: "m") }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }
}

@Suite struct SettingsTests {
    @Test func hasWorkingDefaults() throws {
        let settings = try Settings([:])
        #expect(settings.messagesURL == "https://api.anthropic.com/v1/messages")
        #expect(settings.defaultModel == Settings.fallbackModel)
    }

    @Test func takesABaseURLWithOrWithoutItsSlash() throws {
        for url in ["http://127.0.0.1:9000/anthropic", "http://127.0.0.1:9000/anthropic//"] {
            #expect(
                try Settings(["base_url": .string(url)]).messagesURL == "http://127.0.0.1:9000/anthropic/v1/messages")
        }
    }

    @Test(arguments: [
        "", "api.anthropic.com", "ftp://x", "https://", "https:///v1", "https://key@host", "https://host?x=1",
        "https://host#f", "https://ho st", "https://höst",
    ])
    func refusesABaseURLThatIsNone(url: String) {
        let error = #expect(throws: PluginError.self) { try Settings(["base_url": .string(url)]) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("base_url") == true)
    }

    @Test func refusesAModelThatIsNoText() {
        #expect(throws: PluginError.self) { try Settings(["model": 5]) }
    }

    @Test func theManifestStatesTheSameDefaults() throws {
        let manifest = try JSON.parse(Claude.manifest)
        let properties = manifest["config"]?["properties"]
        #expect(manifest["id"] == "claude")
        #expect(properties?["model"]?["default"]?.stringValue == Settings.fallbackModel)
        #expect(properties?["base_url"]?["default"]?.stringValue == Settings.defaultBaseURL)
        #expect(manifest["secrets"]?.arrayValue?.map { $0["name"] } == [.string(GenerateRequest.keyName)])
        #expect(manifest["egress"] == ["api.anthropic.com"])
    }
}
