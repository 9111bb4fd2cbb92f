import Domain
import Glibc
import Testing

@testable import PluginHost

@Suite struct LoadingTests {
    /// What each broken library is refused with, and a word that its message must have.
    static let refusals: [(HostileRule, PluginRefusal.Code, [String])] = [
        (.noSymbol, .notAPlugin, ["aib_plugin_entry"]),
        (.wrongMagic, .notAPlugin, ["0x4b434148", "0x31424941"]),
        (.wrongMajor, .incompatible, ["7.1", "0.1"]),
        (.wrongMinor, .incompatible, ["0.9", "0.1", "do not mix"]),
        (.highMinimum, .incompatible, ["0.5 at least", "0.1"]),
        (.smallEntry, .incompatible, ["24 bytes", "48"]),
        (.nullManifest, .manifest, ["no manifest"]),
        (.badManifest, .manifest, ["did you mean \"name\"", "Hostile!"]),
        (.otherABIInManifest, .manifest, ["min_host_minor 0", "0 and 1"]),
        (.noInterface, .notAPlugin, ["aib.provider/1"]),
        (.smallTable, .incompatible, ["16 bytes", "48"]),
        (.noStartFunction, .notAPlugin, ["lacks start"]),
        (.nullEntry, .incompatible, ["refuses a host of ABI 0.1"]),
        (.refusesCreate, .failed, ["-7", "the moon is in the wrong phase"]),
        (.misalignedEntry, .notAPlugin, ["not aligned"]), (.hugeManifest, .manifest, ["longer than 1 MiB"]),
        (.missingBytes, .manifest, ["NULL"]), (.noGetInterface, .notAPlugin, ["aib.provider/1"]),
        (.noFunctions, .notAPlugin, ["create, destroy, start, cancel, on_event"]),
    ]

    @Test func brokenLibrariesAreRefusedInWords() async throws {
        let registry = PluginRegistry.test()
        for (rule, code, words) in Self.refusals {
            let path = try await Fixture.c("hostile", rule: rule)
            let refusal = try #require(await registry.refusal(of: path), "\(rule) was loaded")
            #expect(refusal.code == code, "\(rule): \(refusal)")
            #expect(refusal.description.contains(path) && !refusal.fix.isEmpty)
            for word in words { #expect(refusal.description.contains(word), "\(rule): \(refusal)") }
        }
        // The host is as good as new: the id that all of them had is free.
        let good = try await Fixture.c("hostile")
        #expect(await registry.refusal(of: good) == nil)
        #expect(try await registry.call(.aiProvider("hostile"), [:]) == ["text": "done"])
        #expect(registry.plugins.map(\.id) == ["hostile"])
        await registry.shutdown()
    }

    @Test func filesThatAreNoLibraryAreRefusedInWords() async throws {
        let registry = PluginRegistry.test()
        let folder = Fixture.temporaryFolder()
        try Fixture.write(Array("<!DOCTYPE html><html></html>".utf8), to: folder + "/page.so")
        try Fixture.write([], to: folder + "/empty.so")
        try Fixture.write([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1], to: folder + "/stub.so")
        let whole = try Fixture.read(try await Fixture.c("echo"))
        try Fixture.write(Array(whole.prefix(whole.count / 4)), to: folder + "/cut.so")
        var foreign = whole
        foreign.replaceSubrange(18..<20, with: [8, 0])
        try Fixture.write(foreign, to: folder + "/mips.so")
        var object = whole
        object.replaceSubrange(16..<18, with: [1, 0])
        try Fixture.write(object, to: folder + "/object.so")
        // Headers whose sums overflow, or whose table lies beyond the end.
        for (index, table) in [UInt64.max, UInt64(Int64.max), UInt64(Int64.max) - 55, UInt64(whole.count) - 1]
            .enumerated()
        {
            var crafted = whole
            crafted.replaceSubrange(32..<40, with: (0..<8).map { UInt8(truncatingIfNeeded: table >> (8 * $0)) })
            crafted.replaceSubrange(54..<58, with: [0xFF, 0xFF, 0xFF, 0xFF])
            try Fixture.write(crafted, to: folder + "/crafted\(index).so")
        }
        let cases: [(String, PluginRefusal.Code, String)] = [
            ("/crafted0.so", .notALibrary, "cut off"), ("/crafted1.so", .notALibrary, "cut off"),
            ("/crafted2.so", .notALibrary, "cut off"), ("/crafted3.so", .notALibrary, "cut off"),
            ("/page.so", .notALibrary, "begins with \"<!DOCTYP\""), ("/empty.so", .notALibrary, "is empty"),
            ("/stub.so", .notALibrary, "not a 64-bit"), ("/cut.so", .notALibrary, "cut off"),
            ("/mips.so", .notALibrary, "machine 8"), ("/object.so", .notALibrary, "type 1"),
            ("/none.so", .notFound, "No such file"), ("", .notFound, "a directory"),
        ]
        for (name, code, words) in cases {
            let refusal = try #require(await registry.refusal(of: folder + name))
            #expect(refusal.code == code && refusal.description.contains(words), "\(name): \(refusal)")
        }
        let executable = try #require(await registry.refusal(of: "/usr/bin/env"))
        #expect(executable.code == .notALibrary && executable.description.contains("executable"), "\(executable)")
        #expect(registry.plugins.isEmpty)
        await registry.shutdown()
    }

    @Test func aSidecarMustBeTheEmbeddedManifest() async throws {
        let registry = PluginRegistry.test()
        let path = try await Fixture.c("echo")
        let sidecar = path.dropLast(3) + ".plugin.json"
        let manifest = try #require(try? PluginLibrary(LibraryImage(path: path), sidecar: nil)).manifest
        #expect(manifest.id == "echo-c")
        try Fixture.write(
            Array(
                """
                {"id":"echo-c","name":"Lies","version":"9.9.9","license":"MIT",
                 "abi":{"major":0,"min_host_minor":1},"operations":[{"name":"ai.generate"}]}
                """.utf8), to: String(sidecar))
        let lie = try #require(await registry.refusal(of: path))
        #expect(lie.code == .manifest && lie.description.contains("differs"), "\(lie)")
        try Fixture.write(Array("{".utf8), to: String(sidecar))
        let broken = try #require(await registry.refusal(of: path))
        #expect(broken.code == .manifest && broken.description.contains(".plugin.json:1:2"), "\(broken)")
        let source = String(decoding: try Fixture.read(Fixture.examples + "echo.c"), as: UTF8.self)
        try Fixture.write(Array(Self.manifest(in: source).utf8), to: String(sidecar))
        #expect(await registry.refusal(of: path) == nil)
        await registry.shutdown()
    }

    /// The text of echo.c's MANIFEST.
    private static func manifest(in source: String) -> String {
        let start = source.firstRange(of: "MANIFEST[] =")!.upperBound
        let end = source[start...].firstRange(of: ";\n")!.lowerBound
        return source[start..<end].split(separator: "\n").map { line in
            line.drop { $0 == " " }.dropFirst().dropLast().replacing("\\\"", with: "\"")
        }.joined()
    }

    @Test func anIDOrAStepIsServedOnce() async throws {
        let registry = PluginRegistry.test()
        let path = try await Fixture.c("echo")
        #expect(await registry.refusal(of: path) == nil)
        let again = try #require(await registry.refusal(of: path))
        #expect(again.code == .duplicate && again.description.contains("echo-c"))
        await registry.shutdown()
        let late = try #require(await registry.refusal(of: path))
        #expect(late.code == .failed)
    }

    @Test func settingsDecide() async throws {
        let registry = PluginRegistry.test()
        let path = try Fixture.swift()
        let secrets = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http, .hmac])])
        let missing = try #require(await registry.refusal(of: path))
        #expect(missing.code == .secret)
        #expect(missing.description.contains("environment variable FIXTURE_KEY"))
        let halfBound = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http])])
        #expect(await registry.refusal(of: path, PluginSettings(secrets: halfBound))?.code == .secret)
        let typo = await registry.refusal(
            of: path, PluginSettings(configuration: ["base_ur": "x"], secrets: secrets))
        #expect(typo?.code == .configuration && typo?.reason.contains("did you mean \"base_url\"") == true)
        let failing = await registry.refusal(
            of: path, PluginSettings(configuration: ["fails": true], secrets: secrets))
        #expect(failing?.code == .failed)
        #expect(failing?.reason.contains("told to fail") == true)
        #expect(await registry.refusal(of: path, PluginSettings(isEnabled: false)) == nil)
        #expect(registry.plugins.map(\.health) == [.disabled])
        #expect(registry.routes.isEmpty)
        #expect(registry.plugins.first?.digest.count == 64)
        await registry.shutdown()
    }

    /// A library whose file is replaced is not confused with the one that is loaded, and two libraries never are.
    @Test func eachLoadGetsItsOwnBytes() async throws {
        let registry = PluginRegistry.test()
        let folder = Fixture.temporaryFolder()
        let (c, rust) = (try await Fixture.c("echo"), try await Fixture.rust("echo"))
        try Fixture.write(try Fixture.read(c), to: folder + "/plugin.so")
        #expect(await registry.refusal(of: folder + "/plugin.so") == nil)
        try #require(unsafe unlink(folder + "/plugin.so") == 0)
        try Fixture.write(try Fixture.read(rust), to: folder + "/plugin.so")
        #expect(await registry.refusal(of: folder + "/plugin.so") == nil)
        #expect(registry.plugins.map(\.id) == ["echo-c", "echo-rust"])
        #expect(Set(registry.plugins.map(\.digest)).count == 2)
        #expect(registry.routes == [.aiProvider("echo_c"), .aiProvider("echo_rust")])
        for provider in ["echo_c", "echo_rust"] { try await Self.expectEcho(registry, .aiProvider(provider)) }
        await registry.shutdown()
    }

    private static func expectEcho(_ registry: PluginRegistry, _ key: RouteKey) async throws {
        #expect(registry.route(for: key)?.isMetered == false)
        let words = "hello \"you\" \\ 🙂\n\t\u{1}"
        let input: JSON = ["messages": [["role": "user", "content": .string(words)]], "max_output_tokens": 10]
        let chunks = ChunkKeeper()
        let result = try await registry.call(key, input) { chunks.keep($0) }
        let text = try #require(result["text"]?.stringValue)
        #expect(text.hasSuffix(words) && chunks.text == text)
        #expect(result["structured"] == .null)
        #expect(result["model"] == "echo-1")
        #expect(result["stop_reason"] == "end_turn")
        #expect(result["usage"].flatMap(TokenUsage.init)?.output ?? 0 > 0)
        #expect(result["provider_request_id"]?.stringValue?.count == 41)
        var withSchema = try #require(input.objectValue)
        withSchema["output_schema"] = ["type": "object"]
        let structured = try await registry.call(key, .object(withSchema))
        #expect(structured["structured"] == ["summary": .string(text), "files": []])
        let long = String(repeating: "é\"", count: 200_000)
        let whole = try await registry.call(key, ["messages": [["role": "user", "content": .string(long)]]])
        #expect(whole["text"]?.stringValue?.hasSuffix(long) == true, "longer than the window")
        #expect(try await registry.error(key, ["messages": []])?.code == .invalid)
    }
}
