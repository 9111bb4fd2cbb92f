import Foundation
import Testing

/// The README's commands, run as they stand.
@Suite struct ReadmeTests {
    @Test func theFirstWalkWorksAsWritten() throws {
        let readme = try String(contentsOfFile: "README.md", encoding: .utf8)
        let section = try #require(readme.components(separatedBy: "## A first walk").dropFirst().first)
        let block = try #require(section.components(separatedBy: "```sh\n").dropFirst().first)
        let folder = try Program.folder("readme")
        // Only what is another place here is replaced: the build, the port and the folder.
        let walk = try #require(block.components(separatedBy: "```").first)
            .replacing("make build\n", with: "")
            .replacing(".build/release/aibackend", with: Program.path)
            .replacing("8000", with: "\(Int.random(in: 20_000..<30_000))")
            .replacing("./aibackend-data", with: folder)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        // Job control for `kill %1`; the walk waits for the server it stopped.
        process.arguments = ["-e", "-m", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + walk + "\nwait"]
        process.environment = Program.environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(text.contains("\"id\":\"market-brief\"") || text.contains("\"id\": \"market-brief\""), "\(text)")
        #expect(text.contains("\"total_cost\""))
        #expect(text.contains("Launch Brief"))
        #expect(text.contains("(ledger: http://127.0.0.1:"))
    }

    @Test func everyFileItPointsToIsThere() throws {
        for page in ["README.md", "CONTRIBUTING.md", "docs/architecture.md"] {
            let folder = URL(fileURLWithPath: page).deletingLastPathComponent().path
            let text = try String(contentsOfFile: page, encoding: .utf8)
            for link in text.matches(of: /\]\(([^)#:]+)\)/).map({ String($0.1) }) {
                #expect(FileManager.default.fileExists(atPath: folder + "/" + link), "\(page) points to \(link)")
            }
        }
    }
}
