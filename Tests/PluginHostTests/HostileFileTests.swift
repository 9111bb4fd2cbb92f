import Domain
import Glibc
import Testing

@testable import PluginHost

/// Files that are damaged or no files at all: the host says what is wrong with each, and lives on.
@Suite(.timeLimit(.minutes(2))) struct HostileFileTests {
    /// Where a number of the ELF header or of one of the segments stands.
    private struct Field {
        let name: String
        let offset: Int
        let width: Int
        /// Whether the dynamic loader goes by it.
        var isTrusted = true
    }

    private static func fields(of library: [UInt8]) -> [Field] {
        let header = [("phoff", 32, 8), ("phentsize", 54, 2), ("phnum", 56, 2)].map {
            Field(name: $0.0, offset: $0.1, width: $0.2)
        }
        let ignored = [("entry", 24, 8), ("shoff", 40, 8), ("flags", 48, 4), ("shnum", 60, 2), ("shstrndx", 62, 2)].map
        {
            Field(name: $0.0, offset: $0.1, width: $0.2, isTrusted: false)
        }
        let parts = [
            ("type", 0, 4), ("flags", 4, 4), ("offset", 8, 8), ("vaddr", 16, 8), ("paddr", 24, 8), ("filesz", 32, 8),
            ("memsz", 40, 8), ("align", 48, 8),
        ]
        let count = Int(library[56])
        return header + ignored
            + (0..<count).flatMap { index in
                let start = 64 + 56 * index
                // Loaded and dynamic segments; of the others the loader makes less.
                let isTrusted = [1, 2].contains(library[start]) && library[start + 1] == 0
                return parts.map { part in
                    Field(
                        name: "segment \(index) \(part.0)", offset: start + part.1, width: part.2,
                        isTrusted: isTrusted && ["offset", "vaddr", "filesz"].contains(part.0))
                }
            }
    }

    private static func value(_ bytes: [UInt8], _ field: Field) -> UInt64 {
        bytes[field.offset..<field.offset + field.width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func setting(_ bytes: [UInt8], _ field: Field, to value: UInt64) -> [UInt8] {
        var bytes = bytes
        for index in 0..<field.width { bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        return bytes
    }

    private static func isAccepted(_ bytes: [UInt8]) -> Bool { (try? LibraryHeaders(bytes)) != nil }

    /// Each field with values at its ends, near its own, and by chance. What the loader goes by is refused where it is
    /// absurd; a sample of what passes is loaded, which would end this process if it should not have passed.
    @Test func `a number of the headers that is wrong is refused or does no harm`() async throws {
        let whole = try Fixture.read(try await Fixture.c("echo"))
        #expect(Self.isAccepted(whole))
        var random = Seeded(state: 11)
        var passed: [[UInt8]] = []
        for field in Self.fields(of: whole) {
            let own = Self.value(whole, field)
            let top = field.width == 8 ? UInt64.max : 1 << (8 * UInt64(field.width)) - 1
            let absurd: [UInt64] =
                [top, top >> 1, top >> 1 + 1, top - 7, UInt64(whole.count) + 1] + (top > 1 << 40 ? [1 << 40] : [])
            for value in absurd where field.isTrusted && value <= top && value != own {
                #expect(!Self.isAccepted(Self.setting(whole, field, to: value)), "\(field.name) \(value)")
            }
            let near: [UInt64] = [
                0, 1, own &+ 1, own &- 1, own &+ 8, own &- 8, own &+ 4_096, own &- 4_096, own &* 2, own ^ 1, own ^ 2,
                own ^ 4,
                random.next(), random.next() % 65_536, own ^ 1 << (random.next() % (8 * UInt64(field.width))),
            ]
            for value in near + absurd where value & top != own {
                let mutant = Self.setting(whole, field, to: value & top)
                if Self.isAccepted(mutant) { passed.append(mutant) }
            }
        }
        try await Self.load(stride(from: 0, to: passed.count, by: max(1, passed.count / 60)).map { passed[$0] })
    }

    @Test func `headers with several faults are refused or do no harm`() async throws {
        let whole = try Fixture.read(try await Fixture.c("echo"))
        let fields = Self.fields(of: whole)
        var random = Seeded(state: 12)
        var passed: [[UInt8]] = []
        for _ in 0..<3_000 {
            var mutant = whole
            for _ in 0..<Int.random(in: 2...5, using: &random) {
                let field = fields.randomElement(using: &random)!
                let shift = UInt64.random(in: 0..<UInt64(8 * field.width), using: &random)
                mutant = Self.setting(mutant, field, to: Self.value(mutant, field) ^ 1 << shift)
            }
            if Self.isAccepted(mutant) { passed.append(mutant) }
        }
        try await Self.load(Array(passed.prefix(20)))
    }

    @Test func `a file that ends early is refused or does no harm`() async throws {
        let whole = try Fixture.read(try await Fixture.c("echo"))
        var passed: [[UInt8]] = []
        for count in (0..<200).map({ $0 }) + stride(from: 200, to: whole.count, by: 97) {
            let cut = Array(whole.prefix(count))
            if count >= 64 { if Self.isAccepted(cut) { passed.append(cut) } }
        }
        // Only what stands behind the last segment, the names of sections, can be missing.
        #expect(passed.count < whole.count / 97 / 2)
        try await Self.load(Array(passed.prefix(3)))
    }

    /// Loads each as the host would, all of them under one registry.
    private static func load(_ libraries: [[UInt8]]) async throws {
        let registry = PluginRegistry.test()
        let folder = Fixture.temporaryFolder()
        for (index, bytes) in libraries.enumerated() {
            let path = folder + "/mutant\(index).so"
            try Fixture.write(bytes, to: path)
            // The first is loaded; the others have its id.
            if let refusal = await registry.refusal(of: path) {
                #expect(refusal.description.contains(path) && !refusal.fix.isEmpty)
            }
            unsafe unlink(path)
        }
        await registry.shutdown()
    }

    @Test func `what is no regular file is refused without waiting for it`() async throws {
        let registry = PluginRegistry.test()
        let folder = Fixture.temporaryFolder()
        let good = try Fixture.read(try await Fixture.c("echo"))
        func place(_ name: String, _ make: (String) -> Int32) throws -> String {
            let path = folder + "/" + name
            try #require(make(path) == 0, "\(name)")
            return path
        }
        let cases: [(String, String)] = [
            (try place("pipe.so") { unsafe mkfifo($0, 0o600) }, "a pipe"),
            (try place("folder.so") { unsafe mkdir($0, 0o700) }, "a directory"),
            (try place("device.so") { unsafe symlink("/dev/zero", $0) }, "a device"),
            (try place("loop.so") { unsafe symlink("loop.so", $0) }, "symbolic links"),
            (try place("dangling.so") { unsafe symlink("nothing", $0) }, "No such file"),
        ]
        for (path, words) in cases {
            let refusal = try #require(await registry.refusal(of: path))
            #expect(refusal.code == .notFound && refusal.description.contains(words), "\(refusal)")
        }
        let vast = folder + "/vast.so"
        try Fixture.write(good, to: vast)
        try #require(unsafe truncate(vast, LibraryImage.maximumBytes + 1) == 0)
        #expect(await registry.refusal(of: vast)?.reason.contains("at most") == true)
        let sidecars: [(String, (String) -> Int32, String)] = [
            ("a", { unsafe mkfifo($0, 0o600) }, "a pipe"), ("b", { unsafe mkdir($0, 0o700) }, "a directory"),
            ("c", { unsafe symlink("/dev/zero", $0) }, "a device"),
            ("d", { unsafe symlink("d.plugin.json", $0) }, "symbolic links"),
            ("e", { unsafe symlink("/proc/self/mem", $0) }, "cannot be read"),
            ("f", { unsafe symlink("/dev/null", $0) }, "a device"),
        ]
        for (name, make, words) in sidecars {
            try Fixture.write(good, to: "\(folder)/\(name).so")
            try #require(make("\(folder)/\(name).plugin.json") == 0)
            let refusal = try #require(await registry.refusal(of: "\(folder)/\(name).so"))
            #expect(refusal.code == .manifest && refusal.description.contains(words), "\(refusal)")
        }
        if geteuid() != 0 {
            let secret = folder + "/secret.so"
            try Fixture.write(good, to: secret)
            try #require(unsafe chmod(secret, 0) == 0)
            #expect(await registry.refusal(of: secret)?.reason.contains("Permission denied") == true)
        }
        // A link to what is a plugin is one, and a manifest that is too long is none.
        try Fixture.write(good, to: folder + "/real.so")
        try #require(unsafe symlink("real.so", folder + "/link.so") == 0)
        #expect(await registry.refusal(of: folder + "/link.so") == nil)
        try Fixture.write(
            [UInt8](repeating: 0x20, count: PluginManifest.maximumBytes + 1), to: folder + "/real.plugin.json")
        #expect(await registry.refusal(of: folder + "/real.so")?.reason.contains("longer than") == true)
        await registry.shutdown()
    }

    @Test func `a file that changes behind the check is loaded as it was`() async throws {
        let path = Fixture.temporaryFolder() + "/changing.so"
        let good = try Fixture.read(try await Fixture.c("echo"))
        try Fixture.write(good, to: path)
        let image = try LibraryImage(path: path)
        try Fixture.write([UInt8](repeating: 0xCC, count: good.count), to: path)
        let library = try PluginLibrary(image, sidecar: nil)
        #expect(library.manifest.id == "echo-c")
        try #require(unsafe truncate(path, 0) == 0)
        #expect(try PluginLibrary(image, sidecar: nil).manifest.id == "echo-c")
        #expect(try LibraryImage.digest(of: "/proc/self/fd/\(image.descriptor)") == image.digest)
        // Nobody writes to the copy.
        #expect(unsafe write(image.descriptor, "x", 1) < 0)
    }

    @Test func `a library whose sizes are absurd but whose tables are whole is used`() async throws {
        for rule in [HostileRule.hugeSizes, .misalignedTable] {
            let registry = PluginRegistry.test()
            #expect(await registry.refusal(of: try await Fixture.c("hostile", rule: rule)) == nil)
            #expect(try await registry.call(.aiProvider("hostile"), [:]) == ["text": "done"])
            await registry.shutdown()
        }
    }
}

/// Manifests that would cost more than they are worth.
@Suite struct ManifestBombTests {
    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        (0..<count).map(element).joined(separator: ",")
    }

    private static let head =
        #""id":"a","name":"A","version":"1","license":"MIT","abi":{"major":0,"min_host_minor":1},"#
    private static let operations = #""operations":[{"name":"ai.generate"}]"#

    private static let bombs: [(String, String)] = [
        (String(repeating: "[", count: 500_000), "invalid_json"),
        (String(repeating: #"{"a":"#, count: 100_000), "invalid_json"),
        ("{\"id\":1e400}", "invalid_json"), ("{\"id\":\"\\ud800\"}", "invalid_json"), ("\u{FEFF}{}", "invalid_json"),
        ("{\(head)\(list(60_000) { "\"m\($0)\":1" }),\(operations)}", "unknown_member"),
        ("{\(head)\"\(String(repeating: "n", count: 900_000))\":1,\(operations)}", "unknown_member"),
        ("{\(head)\"operations\":[\(list(50_000) { "{\"name\":\"o\($0)\"}" })]}", "too_many"),
        (
            "{\(head)\(operations),\"serves\":[\(list(20_000) { "{\"ai_provider\":\"p\($0)\",\"operation\":\"x\"}" })]}",
            "too_many"
        ),
        ("{\(head)\(operations),\"egress\":[\(list(50_000) { "\"h\($0).example\"" })]}", "too_many"),
        ("{\(head)\(operations),\"secrets\":[\(list(20_000) { "{\"name\":\"S\($0)\"}" })]}", "too_many"),
        ("{\(head)\(operations),\"services\":[\(list(50_000) { "\"s\($0)\"" })]}", "too_many"),
        ("{\(head)\(operations),\"config\":{\"properties\":{\(list(30_000) { "\"p\($0)\":{}" })}}}", "too_many"),
        ("{\(head)\(operations),\"limits\":{\"concurrency\":99999999999999999999}}", "out_of_range"),
        (String(repeating: " ", count: PluginManifest.maximumBytes + 1), "too_large"),
    ]

    @Test(arguments: bombs.indices) func `a manifest that is too much is refused in few words`(index: Int) {
        let (text, code) = Self.bombs[index]
        let error = #expect(throws: Diagnostics.self) { try PluginManifest(parsing: Array(text.utf8)) }
        #expect(error?.all.contains { $0.code == code } == true, "\(error?.all.prefix(3).map(\.code) ?? [])")
        #expect((error?.all.count ?? 0) <= ManifestReader.maximumProblems)
        #expect((error?.description.utf8.count ?? 0) < 100_000)
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
