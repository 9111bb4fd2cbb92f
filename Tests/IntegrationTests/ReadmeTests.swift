import Foundation
import Testing

/// The README's commands, run as they stand.
@Suite struct ReadmeTests {
    @Test func theFirstWalkWorksAsWritten() throws {
        let readme = try String(contentsOfFile: "README.md", encoding: .utf8)
        let section = try #require(readme.components(separatedBy: "## A first walk").dropFirst().first)
        let block = try #require(section.components(separatedBy: "```sh\n").dropFirst().first)
        let folder = try Program.folder("readme")
        // Only what is another place here is replaced: the build and the port. The rest lands in the folder.
        let program = URL(fileURLWithPath: Program.path).standardizedFileURL.path
        let walk = try #require(block.components(separatedBy: "```").first)
            .replacing("make build\n", with: "")
            .replacing(".build/release/aibackend", with: program)
            .replacing("8000", with: "\(Int.random(in: 20_000..<30_000))")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        // Job control for `kill %1`; the walk waits for the server it stopped.
        process.arguments = ["-e", "-m", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + walk + "\nwait"]
        process.environment = Program.environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(text.contains("event: end\ndata: {\"status\":\"completed\"}"), "\(text)")
        #expect(text.contains("app_url http://127.0.0.1:"))
        #expect(text.contains("admin_credentials {'email': 'admin@tidewatch.example', 'password': '"))
        #expect(text.firstMatch(of: /completed for 0\.[0-9]+ USD/) != nil)
        #expect(text.contains(" Architecture Planning\n"), "the clone has a commit of each step")
        #expect(FileManager.default.fileExists(atPath: folder + "/tidewatch/main.py"))
        #expect(text.contains("(ledger: http://127.0.0.1:"))
    }

    @Test func everyFileItPointsToIsThere() throws {
        let docs = try FileManager.default.contentsOfDirectory(atPath: "docs").filter { $0.hasSuffix(".md") }
        for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] + docs.map({ "docs/" + $0 }) {
            let folder = URL(fileURLWithPath: page).deletingLastPathComponent().path
            let text = try String(contentsOfFile: page, encoding: .utf8)
            for link in text.matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/).map({ String($0.1) }) {
                #expect(FileManager.default.fileExists(atPath: folder + "/" + link), "\(page) points to \(link)")
            }
        }
    }
}
