import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// Plugins that know nothing but the header, from their source to a served step, as `docs/writing-a-plugin.md` tells it.
@Suite(.timeLimit(.minutes(1))) struct PluginStepTests {
    /// The guide's commands, block by block, with the program under test in the place of the release build.
    private let blocks: [String]
    /// Stands for the checkout: what the commands write stays in it.
    private let folder: String

    init() throws {
        let guide = try String(contentsOfFile: "docs/writing-a-plugin.md", encoding: .utf8)
        let section = try #require(guide.components(separatedBy: "## A served step, in C and Rust").dropFirst().first)
            .components(separatedBy: "\n## ")[0]
        blocks = section.components(separatedBy: "```sh\n").dropFirst().map { block in
            block.components(separatedBy: "```")[0].replacing(".build/release/aibackend", with: Program.path)
        }
        try #require(blocks.count == 3)
        folder = try Program.folder("plugins")
        for name in ["Sources", "examples"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(name)",
                withDestinationPath: FileManager.default.currentDirectoryPath + "/" + name)
        }
    }

    @Test func theGuideLeadsToAServedStep() async throws {
        let port = "\(Int.random(in: 20_000..<30_000))"
        let walk = blocks.joined(separator: "\n").replacing("8000", with: port) + "\nwait"
        let (status, output) = try await shell(walk)
        #expect(status == 0, "\(output)")
        #expect(output.contains("serves   ai_provider echo_c\n") && output.contains("serves   ai_provider echo_rust\n"))
        #expect(output.contains("my-templates/relay.yaml: relay 1.0.0, 2 steps, valid"))
        #expect(!output.contains("warning"), "\(output)")
        let run = try JSON.parse(String(try #require(output.split(separator: "\n").last { $0.hasPrefix("{") })))
        #expect(run["result"]?["first"]?["summary"] == "you said: ahoy", "\(output)")
        #expect(run["result"]?["second"]?["summary"]?.stringValue?.hasSuffix("Then: you said: ahoy") == true)
    }

    @Test func stepsOfForeignPluginsAreServedAndRecorded() async throws {
        let (status, output) = try await shell(blocks[0] + blocks[1])
        try #require(status == 0, "\(output)")
        // An operator's settings, and a file that is no plugin beside the two that are.
        try "plugins:\n  echo-c:\n    greeting: 'ahoy \"there\": '\n"
            .write(toFile: folder + "/settings.yaml", atomically: true, encoding: .utf8)
        try "no library".write(toFile: folder + "/my-plugins/torn.so", atomically: true, encoding: .utf8)

        let transport = APIClient.transport()
        let host = try HostProcess(
            [
                "--config", folder + "/settings.yaml", "--plugins", folder + "/my-plugins",
                "--templates", folder + "/my-templates",
            ], dataDirectory: folder + "/data", transport: transport)
        #expect(host.output.contains("plugins    echo-c 0.1.0, echo-rust 0.1.0"), "\(host.output)")
        #expect(host.output.contains("torn.so: the file begins with \"no libra\""), "\(host.output)")
        let client = try await host.client.registered()
        let admitted = try await client.post(
            "/v1/templates/relay/execute", ["configuration": ["word": "\"quoted\"\t🙂"]])
        let id = try #require(admitted.body["execution_id"]?.stringValue, "\(admitted.body.text)")
        let run = try await client.ended(id)

        #expect(run["status"] == "completed", "\(run.text)")
        let first = "ahoy \"there\": \"quoted\"\t🙂"
        #expect(run["result"]?["first"] == ["summary": .string(first), "files": []], "\(run.text)")
        // The second step was asked with the first one's result: as context, and where its prompt names it.
        let second = try #require(run["result"]?["second"]?["summary"]?.stringValue)
        #expect(second.contains("<first>\n\(first)\n</first>") && second.hasSuffix("Then: \(first)"), "\(second)")

        let lines = try #require(run["cost_breakdown"]?["steps"]?.arrayValue)
        #expect(lines.compactMap { $0["step"]?.stringValue } == ["First", "Second"])
        #expect(lines.allSatisfy { $0["calls"] == 1 && $0["cost"] == "0.00" && $0["model"] == "echo-1" })
        #expect(lines.allSatisfy { $0["provider"] == "custom" })
        #expect(run["total_cost"] == "0.00")
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    /// Runs commands in the folder, with job control for `kill %1`, and answers what they print. Whatever becomes of
    /// them, what they started does not outlive them.
    private func shell(_ commands: String) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["50", "bash", "-e", "-m", "-c", "trap 'kill $(jobs -p) 2>&- || true' EXIT\n" + commands]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        // The whole environment: compilers may be found through it.
        process.environment = ProcessInfo.processInfo.environment
        // A file: the end of a pipe would wait for every process that has come to hold it, and hold a thread meanwhile.
        let path = folder + "/output"
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        let output = try #require(FileHandle(forWritingAtPath: path))
        process.standardOutput = output
        process.standardError = output
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }
}
