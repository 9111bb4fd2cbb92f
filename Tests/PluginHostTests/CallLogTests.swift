import Domain
import Testing

@testable import PluginHost

/// Lines of builds and deployments, from the author's function to the caller.
@Suite struct CallLogTests {
    private static let key = RouteKey.command("run", provider: "fixture")

    private func load() async throws -> PluginRegistry {
        let registry = PluginRegistry.test(grace: .seconds(10))
        let secrets = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http, .hmac])])
        try #require(await registry.refusal(of: try Fixture.swift(), PluginSettings(secrets: secrets)) == nil)
        return registry
    }

    @Test func arriveInOrderUnderBackPressure() async throws {
        let registry = try await load()
        let chunks = ChunkKeeper()
        // More than the window holds at once.
        _ = try await registry.call(Self.key, ["do": "emit_logs", "lines": 20_000]) { chunk in
            if chunks.lines.isEmpty { for _ in 0..<1_000 { await Task.yield() } }
            chunks.keep(chunk)
        }
        #expect(
            chunks.lines
                == (0..<20_000).map { .init(stream: $0 % 2 == 0 ? .build : .deploy, message: "line \($0)") })
        await registry.shutdown()
    }

    @Test(arguments: [
        (8_192, 8_192, false), (8_193, 8_192, true), (9_999, 8_192, true), (1_000_000, 8_192, true),
    ])
    func isCutAt8KiB(count: Int, kept: Int, isCut: Bool) async throws {
        let registry = try await load()
        let chunks = ChunkKeeper()
        _ = try await registry.call(
            Self.key, ["do": "emit_logs", "text": .string(String(repeating: "x", count: count))]
        ) { chunks.keep($0) }
        #expect(chunks.lines.map(\.message) == [String(repeating: "x", count: kept) + (isCut ? "…" : "")])
        await registry.shutdown()
    }

    @Test func isCutBetweenCharactersAndShowsNoControls() async throws {
        let registry = try await load()
        let chunks = ChunkKeeper()
        let (smiles, bells) = (String(repeating: "🙂", count: 100_000), String(repeating: "\u{1}", count: 100_000))
        for text in [smiles, bells, "a\nb\u{1B}[1m"] {
            _ = try await registry.call(Self.key, ["do": "emit_logs", "text": .string(text)]) { chunks.keep($0) }
        }
        #expect(chunks.lines.count == 3)
        #expect(chunks.lines[0].message == String(repeating: "🙂", count: 2_048) + "…")
        #expect(chunks.lines[1].message.utf8.count <= 8_195 && chunks.lines[1].message.hasPrefix("\\u{01}"))
        #expect(chunks.lines[2].message == "a\\nb\\u{1B}[1m")
        await registry.shutdown()
    }

    @Test func whatIsPendingComesTextFirstLinesInOrderUsageLast() {
        var output = CallOutput()
        output.add(usage: TokenUsage(input: 1))
        output.add(log: .build, "one", bytes: 5)
        output.add(text: Array("a".utf8))
        output.add(log: .deploy, "two", bytes: 7)
        output.add(text: Array("b".utf8))
        output.add(usage: TokenUsage(input: 2))
        var taken: [String] = []
        while let (chunk, bytes) = output.next() { taken.append("\(chunk) \(bytes)") }
        #expect(taken.count == 4)
        #expect(taken[0] == "text(\"ab\") 2")
        #expect(taken[1].contains("build, \"one\") 5") && taken[2].contains("deploy, \"two\") 7"), "\(taken)")
        #expect(taken[3].hasPrefix("usage(") && taken[3].hasSuffix(" 0") && taken[3].contains("input: 2"), "\(taken)")
    }
}
