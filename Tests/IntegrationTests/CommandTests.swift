import Foundation
import Testing

/// The commands as an operator types them.
@Suite struct CommandTests {
    @Test func theDemoShowsEverythingAndLeavesNothing() throws {
        let demo = try Program.run(["demo"])
        #expect(demo.status == 0 && demo.error.isEmpty, "\(demo.error)")
        for text in [
            "1. Plan", "probably", "2. Register", "3. Execute", "4. Watch", "Application Deployment: finished",
            "5. Result", "GET /         200", "GET /health   200", "with the generated password: in", "git clone",
            "Price, to the last digit", "Stopped; nothing is left running.",
        ] { #expect(demo.output.contains(text), "\(text) is missing in:\n\(demo.output)") }
        let folder = demo.output.split(separator: " ").first { $0.contains("/tmp/aibackend-demo.") }
        let path = String(try #require(folder).prefix { $0 != "\n" })
        #expect(!FileManager.default.fileExists(atPath: path))
        let servers = try #require(try? FileManager.default.contentsOfDirectory(atPath: "/proc")).filter { pid in
            guard Int(pid) != nil, let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            return String(decoding: words, as: UTF8.self).contains(path) || place?.contains(path) == true
        }
        #expect(servers.isEmpty)
    }

    @Test(arguments: [
        ["--help"], ["serve", "--help"], ["demo", "--help"], ["migrate", "--help"], ["sandbox", "--help"],
        ["template", "validate", "--help"], ["template", "plan", "--help"], ["plugin", "list", "--help"],
        ["admin", "create", "--help"],
        ["config", "check", "--help"],
    ])
    func everyCommandHasHelpWithAnExample(arguments: [String]) throws {
        let help = try Program.run(arguments)
        #expect(help.status == 0)
        #expect(help.output.contains("Example"))
        #expect(help.output.contains("aibackend"))
    }

    @Test func aFileOfFaultsThatMakesNoSenseIsRefused() throws {
        let folder = try Program.folder("faults")
        let file = folder + "/faults.json"
        try #"[{"kind": "cut"}, {"provider": "railway", "kind": "prose"}]"#
            .write(toFile: file, atomically: true, encoding: .utf8)
        for command in [["sandbox", "--port", "0"], ["serve", "--sandbox", "--port", "0", "--data-dir", folder]] {
            let refused = try Program.run(command + ["--faults", file])
            #expect(refused.status == 1)
            #expect(
                refused.error.contains("\(file): invalid faults: fault 2 of 2: kind must be one of status, cut, "),
                "\(refused.error)")
            let absent = try Program.run(command + ["--faults", folder + "/none.json"])
            #expect(absent.status == 1 && absent.error.contains("none.json cannot be read"), "\(absent.error)")
        }
        let alone = try Program.run(["serve", "--port", "0", "--data-dir", folder, "--faults", file])
        #expect(alone.status == 1 && alone.error.contains("add --sandbox"), "\(alone.error)")
    }

    @Test func theConfigurationIsCheckedAndSecretsAreNotShown() throws {
        let folder = try Program.folder("config")
        let good = folder + "/good.yaml"
        try "listen:\n  port: 9000\ndatabase:\n  url: postgresql://user:hunter2@db/x\n"
            .write(toFile: good, atomically: true, encoding: .utf8)
        let shown = try Program.run(["config", "check", "--config", good], environment: ["LISTEN_PORT": "9001"])
        #expect(shown.status == 0)
        #expect(shown.output.contains("9001   from environment, LISTEN_PORT"))
        #expect(!shown.output.contains("hunter2"))

        let bad = folder + "/bad.yaml"
        try "listen:\n  prot: 9000\n  port: 70000\nregistration: maybe\n"
            .write(toFile: bad, atomically: true, encoding: .utf8)
        let refused = try Program.run(
            ["config", "check", "--config", bad], environment: ["API_KEY_SALT": "your-jwt-secret"])
        #expect(refused.status == 2)
        #expect(refused.error.contains("\(bad):2:1: error: \"listen.prot\" is not a setting"))
        #expect(refused.error.contains("did you mean \"listen.port\"?"))
        #expect(refused.error.contains("must be a whole number from 0 to 65535"))
        #expect(refused.error.contains("must be one of open, closed"))
        #expect(refused.error.contains("is an example, not a secret"))
        #expect(!refused.error.contains("your-jwt-secret"))
    }

    @Test func templatesAreValidatedWithLineAndColumn() throws {
        let folder = try Program.folder("validate")
        let file = folder + "/broken.yaml"
        try """
        template:
          metadata: {id: broken, name: Broken, version: 1.0.0, description: d, category: tools, complexity: beginner}
          configuration:
            required_inputs:
              - {key: subject, type: string, label: Subject}
          execution_steps:
            - step_id: 1
              name: Write
              type: ai_call
              ai_provider: claud
              prompt_template: "About {{subjet}}"
              expected_output: text
        """.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try Program.run(["template", "validate", file])
        #expect(refused.status == 1)
        #expect(refused.error.contains("\(file):10:") && refused.error.contains("did you mean \"claude\"?"))
        #expect(refused.error.contains("\(file):11:") && refused.error.contains("did you mean \"subject\"?"))
        for name in ["documentation-site", "market-brief", "saas-starter", "subscription-box"] {
            let shipped = FileManager.default.currentDirectoryPath + "/templates/\(name).yaml"
            let valid = try Program.run(["template", "validate", shipped])
            #expect(valid.status == 0, "\(valid.error)")
        }
    }

    @Test func pluginsAreListedAndARefusalSaysWhy() throws {
        let folder = try Program.folder("plugins")
        try "not a library".write(toFile: folder + "/libNonsense.so", atomically: true, encoding: .utf8)
        let refused = try Program.run(["plugin", "list", "--plugins", folder])
        #expect(refused.status == 1)
        #expect(refused.output.contains("libNonsense.so"))
        let listed = try Program.run(["plugin", "list"], environment: ["ANTHROPIC_API_KEY": "k"])
        #expect(listed.output.contains("claude 0.1.0"))
        #expect(listed.output.contains("ai_provider claude"))
        #expect(listed.output.contains("health   healthy"))
    }

    @Test func aPluginCanBeSwitchedOff() throws {
        let file = try Program.folder("switched-off") + "/aibackend.yaml"
        func list(_ enabled: String) throws -> (status: Int32, output: String, error: String) {
            try "plugins:\n  claude:\n    enabled: \(enabled)\n".write(toFile: file, atomically: true, encoding: .utf8)
            return try Program.run(["plugin", "list", "--config", file], environment: ["ANTHROPIC_API_KEY": "k"])
        }
        let off = try list("false")
        #expect(off.output.contains("claude 0.1.0") && off.output.contains("health   disabled"), "\(off)")
        #expect(!off.output.contains("ai_provider claude"))
        #expect(try list("true").output.contains("ai_provider claude"))
        let unclear = try list("0.5")
        #expect(unclear.status == 1 && unclear.output.contains("plugins.claude.enabled must be true or false, not 0.5"))
    }

    @Test func anAdministratorIsCreatedOnce() throws {
        let folder = try Program.folder("admin")
        let created = try Program.run(["admin", "create", "ops@example.com", "--data-dir", folder])
        #expect(created.status == 0, "\(created.error)")
        #expect(created.output.hasPrefix("X-API-Key: aib_"))
        let again = try Program.run(["admin", "create", "ops@example.com", "--data-dir", folder])
        #expect(again.status == 1 && again.error.contains("registered already"))
        let migrated = try Program.run(["migrate", "--data-dir", folder])
        #expect(migrated.output == "the schema is up to date\n")
    }
}
