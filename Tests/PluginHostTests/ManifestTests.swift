import Domain
import Testing

@testable import PluginHost

@Suite struct ManifestTests {
    private static let good = """
        {"id":"claude","name":"Claude","version":"0.1.0","license":"Apache-2.0","homepage":"https://example.com",
         "abi":{"major":0,"min_host_minor":1},
         "operations":[{"name":"ai.generate","streaming":true,"cancellable":true,"idempotent":false,
                        "cost_class":"metered"},{"name":"ai.models","cost_class":"free"}],
         "serves":[{"ai_provider":"claude","operation":"ai.generate"},
                   {"command":"list_models","provider":"claude","operation":"ai.models",
                    "lookup":"ai.models","undo":"ai.generate"}],
         "ledger_name":"claude",
         "config":{"type":"object","properties":{
            "base_url":{"type":"string","default":"https://api.anthropic.com","egress":true},
            "model":{"type":"string","default":"m-1","description":"The model."},
            "effort":{"type":"string","enum":["low","high"]},
            "retries":{"type":"integer"},"temperature":{"type":"number"},"verbose":{"type":"boolean"}},
            "required":["retries"],"additionalProperties":false},
         "secrets":[{"name":"ANTHROPIC_API_KEY","uses":["http"],"required":true}],
         "egress":["api.anthropic.com","*.example.com"],
         "services":["aib.log/1","aib.http/1"],
         "limits":{"concurrency":3}}
        """

    private func problems(_ text: String) -> [Diagnostic] {
        do throws(Diagnostics) {
            _ = try PluginManifest(parsing: Array(text.utf8))
            return []
        } catch {
            return error.all
        }
    }

    private func problems(replacing old: String, with new: String) -> [Diagnostic] {
        #expect(Self.good.contains(old))
        return problems(Self.good.replacing(old, with: new))
    }

    @Test func aManifestIsReadWhole() throws {
        let manifest = try PluginManifest(parsing: Array(Self.good.utf8))
        #expect(manifest.id == "claude")
        #expect(manifest.operations.map(\.isStreaming) == [true, false])
        #expect(manifest.serves.map(\.key) == [.aiProvider("claude"), .command("list_models", provider: "claude")])
        #expect(manifest.concurrency == 3)
        #expect(manifest.secrets == [.init(name: "ANTHROPIC_API_KEY", uses: [.http], isRequired: true, hosts: nil)])
        let bound = Self.good.replacing("\"required\":true", with: "\"hosts\":[\"a.example.com\",\"*.example.com\"]")
        #expect(
            try PluginManifest(parsing: Array(bound.utf8)).secrets.map(\.hosts) == [["a.example.com", "*.example.com"]])
        let routes = manifest.routes(configuration: ["model": "m-2"])
        #expect(
            routes[.aiProvider("claude")]
                == Route(
                    pluginID: "claude", pluginVersion: "0.1.0", operation: "ai.generate", defaultModel: "m-2",
                    ledgerName: "claude", isMetered: true))
        let command = try #require(routes[.command("list_models", provider: "claude")])
        #expect(!command.isMetered && command.lookup == "ai.models" && command.undo == "ai.generate")
    }

    @Test func everyFaultIsNamedWithItsPlace() {
        #expect(problems("{\"id\":").first?.code == "invalid_json")
        #expect(problems("[]").first?.message == "the manifest must be an object, not array")
        let cases: [(String, String, String, String)] = [
            ("\"ledger_name\"", "\"ledger_nam\"", "/ledger_nam", "unknown_member"),
            ("\"id\":\"claude\"", "\"id\":\"Claude 2\"", "/id", "invalid_id"),
            ("\"concurrency\":3", "\"concurrency\":0", "/limits/concurrency", "out_of_range"),
            ("\"free\"", "\"fre\"", "/operations/1/cost_class", "unknown_value"),
            ("\"operation\":\"ai.models\"", "\"operation\":\"ai.model\"", "/serves/1/operation", "unknown_operation"),
            ("\"lookup\":\"ai.models\"", "\"lookup\":\"ai.model\"", "/serves/1/lookup", "unknown_operation"),
            ("\"undo\":\"ai.generate\"", "\"undo\":\"ai.remove\"", "/serves/1/undo", "unknown_operation"),
            ("\"undo\":\"ai.generate\"", "\"undo\":1", "/serves/1/undo", "wrong_type"),
            (
                "\"claude\",\"operation\":\"ai.generate\"",
                "\"claude\",\"operation\":\"ai.generate\",\"undo\":\"ai.models\"", "/serves/0/undo", "unknown_member"
            ),
            ("aib.http/1", "aib.htp/1", "/services/1", "unknown_service"),
            ("\"*.example.com\"", "\"https://x\"", "/egress/1", "invalid_host"),
            ("\"default\":\"m-1\"", "\"default\":1", "/config/properties/model/default", "invalid_default"),
            ("[\"retries\"]", "[\"retrys\"]", "/config/required", "unknown_member"),
            ("\"verbose\":", "\"enabled\":", "/config/properties/enabled", "reserved_name"),
            ("\"uses\":[\"http\"]", "\"uses\":[\"smtp\"]", "/secrets/0/uses/0", "unknown_value"),
            (
                "\"required\":true", "\"hosts\":[\"*.example.com\",\"evil.example\"]", "/secrets/0/hosts/1",
                "invalid_host"
            ),
            ("\"version\":\"0.1.0\",", "", "", "missing_member"),
            (
                "\"command\":\"list_models\",\"provider\":\"claude\"", "\"ai_provider\":\"claude\"", "/serves/1",
                "duplicate"
            ),
            ("\"name\":\"ai.models\"", "\"name\":\"ai.generate\"", "/operations/1", "duplicate"),
        ]
        for (old, new, pointer, code) in cases {
            let found = problems(replacing: old, with: new)
            #expect(found.contains { $0.pointer == pointer && $0.code == code }, "\(new): \(found)")
        }
    }

    /// Only an operator names an origin beyond the manifest's hosts.
    @Test(arguments: [
        ("https://api.anthropic.com", true), ("https://API.anthropic.com:443/v1", true),
        ("https://a.example.com/", true),
        ("http://api.anthropic.com", false), ("https://api.anthropic.com:8443", false), ("https://evil.example", false),
        ("http://169.254.169.254", false), ("https://example.com", false), ("https://xapi.anthropic.com", false),
    ])
    func aDefaultOpensNothingBeyondEgress(url: String, isGood: Bool) {
        let found = problems(replacing: "\"default\":\"https://api.anthropic.com\"", with: "\"default\":\"\(url)\"")
        #expect(found.isEmpty == isGood)
        #expect(isGood || found.map(\.pointer) == ["/config/properties/base_url/default"], "\(found)")
        #expect(found.allSatisfy { $0.message.contains("egress") })
    }

    @Test func aTypoIsAnsweredWithTheNearestName() {
        #expect(problems(replacing: "aib.http/1", with: "aib.htp/1").first?.suggestion == "aib.http/1")
        #expect(problems(replacing: "\"egress\":[", with: "\"egres\":[").first?.suggestion == "egress")
    }

    @Test func theOperatorsConfigurationIsCheckedAndFilledIn() throws {
        let schema = try PluginManifest(parsing: Array(Self.good.utf8)).configuration
        #expect(
            try schema.validated(["retries": 3, "effort": "low"])
                == ["base_url": "https://api.anthropic.com", "model": "m-1", "effort": "low", "retries": 3])
        #expect(schema.origins(in: ["base_url": "http://127.0.0.1:9000/v1"]) == ["http://127.0.0.1:9000"])
        #expect(schema.origins(in: [:]) == [], "a default is no word of the operator's")
        let bad: [(JSON, String)] = [
            ([:], "the setting \"retries\" is required"),
            (["retries": "3"], "\"retries\" must be of type integer, not string"),
            (["retries": 3, "modle": "x"], "the plugin has no setting \"modle\""),
            (["retries": 3, "effort": "medium"], "\"effort\" must be one of \"low\", \"high\", not \"medium\""),
            (["retries": 3, "verbose": 1], "\"verbose\" must be of type boolean, not integer"),
            (["retries": 3, "base_url": "localhost"], "\"base_url\" must be a base URL"),
            (["retries": 3, "base_url": "file:///etc/passwd"], "\"base_url\" must be a base URL"),
            ("x", "the configuration must be an object, not string"),
        ]
        for (configuration, words) in bad {
            let error = #expect(throws: Diagnostics.self) { try schema.validated(configuration) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
        let typo = #expect(throws: Diagnostics.self) { try schema.validated(["retries": 3, "modle": "x"]) }
        #expect(typo?.all.first?.suggestion == "model")
    }
}
