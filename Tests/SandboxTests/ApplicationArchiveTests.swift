import Files
import Glibc
import Testing

@testable import Sandbox

@Suite struct ApplicationArchiveTests {
    /// Unpacks into a fresh directory, and answers what the test asks about it.
    private func unpack<Value: Sendable>(
        _ archive: [UInt8], limits: ApplicationArchive.Limits = ApplicationArchive.Limits(),
        _ look: @Sendable @escaping (String) -> Value
    ) async throws -> Value {
        let directory = try ApplicationHarness.temporaryDirectory()
        defer { FileTree.remove(directory) }
        let owner = ApplicationUser(uid: geteuid(), gid: getegid())
        return try await OffPool.run("test") { () throws(ApplicationFailure) in
            guard unsafe mkdir(directory + "/inside", 0o700) == 0 else { throw ApplicationFailure(.build, "mkdir") }
            _ = try ApplicationArchive(directory: directory + "/inside", owner: owner, limits: limits).unpack(archive)
            return look(directory + "/inside")
        }
    }

    private func refusal(
        _ archive: [UInt8], limits: ApplicationArchive.Limits = ApplicationArchive.Limits()
    ) async -> String {
        let error = await #expect(throws: ApplicationFailure.self) {
            try await unpack(archive, limits: limits) { _ in }
        }
        #expect(error?.phase == .build)
        return error?.message ?? "none"
    }

    @Test func `Files, directories and long names are unpacked`() async throws {
        let long = "./" + String(repeating: "d/", count: 20) + String(repeating: "n", count: 150) + ".txt"
        let record = "path=./extended/ünï.txt\n"
        var script = TarEntry("./bin/run.sh", "#!/bin/sh\n")
        script.mode = 0o755
        let archive = TarEntry.archive([
            TarEntry("./", type: "5"), TarEntry("./empty/", type: "5"), script, TarEntry("plain.txt", "plain"),
            TarEntry("././@LongLink", long + "\u{0}", type: "L"), TarEntry("cut", "long"),
            TarEntry("global", "9 a=b\u{A}", type: "g"),
            TarEntry("PaxHeader", "\(record.utf8.count + 3) \(record)", type: "x"), TarEntry("ignored", "extended"),
            TarEntry("./nothing"),
        ])
        let found = try await unpack(archive) { directory in
            var status = stat()
            let isExecutable = unsafe stat(directory + "/bin/run.sh", &status) == 0 && status.st_mode & 0o777 == 0o755
            let names = [
                "plain.txt", String(long.dropFirst(2)), "extended/ünï.txt", "nothing", "bin/run.sh", "ignored",
            ]
            return names.map { ApplicationFile.text("\(directory)/\($0)") } + [isExecutable ? "x" : nil]
        }
        #expect(found == ["plain", "long", "extended", "", "#!/bin/sh\n", nil, "x"])
    }

    @Test(arguments: [
        (TarEntry("/etc/passwd", "x"), "absolute path"), (TarEntry("./a/../../b", "x"), "leads out"),
        (TarEntry("..", "x"), "leads out"), (TarEntry("./link", type: "2", link: "/etc/passwd"), "type 2"),
        (TarEntry("./link", type: "1", link: "main.py"), "type 1"), (TarEntry("./null", type: "3"), "type 3"),
        (TarEntry("./disk", type: "4"), "type 4"), (TarEntry("./fifo", type: "6"), "type 6"),
        (TarEntry("./sparse", type: "S"), "type S"), (TarEntry("./line\nfeed", "x"), "no plain text"),
        (TarEntry("./.", "x"), "without a name"), (TarEntry("x", "25 path=../../outside.txt\n", type: "x"), "broken"),
        (TarEntry("x", "nonsense", type: "x"), "broken"),
        (TarEntry("x", "999999999999999999999 a=b\n", type: "x"), "broken"),
        (TarEntry("./main.py", "x"), "twice"), (TarEntry("./main.py/below", "x"), "could not be unpacked"),
        (TarEntry(String(repeating: "d/", count: 40) + "x", "x"), "parts"),
    ])
    func `An entry that is not a file of its own is refused`(entry: TarEntry, reason: String) async throws {
        let message = await refusal(TarEntry.archive([TarEntry("./main.py", "x"), entry]))
        #expect(message.contains(reason), "\(message)")
    }

    @Test func `A path that an extended header brings is checked like any other`() async throws {
        let good = "26 path=../../outside.txt\n"
        let message = await refusal(TarEntry.archive([TarEntry("x", good, type: "x"), TarEntry("./harmless", "x")]))
        #expect(message.contains("leads out"), "\(message)")
        let linked = await refusal(
            TarEntry.archive([TarEntry("x", "../outside\u{0}", type: "L"), TarEntry("./harmless", "x")]))
        #expect(linked.contains("leads out"), "\(linked)")
    }

    @Test func `Archives that are too large are refused while they are read`() async throws {
        var limits = ApplicationArchive.Limits()
        limits.bytes = 100_000
        limits.entries = 5
        limits.compressedBytes = 1_000_000
        let large = TarEntry.archive([TarEntry("./large", String(repeating: "x", count: 200_000))])
        #expect(await refusal(large, limits: limits).contains("more than"))
        var lying = TarEntry("./lying", "x")
        lying.size = 1 << 32
        #expect(await refusal(TarEntry.archive([lying]), limits: limits).contains("more than"))
        let many = TarEntry.archive((0..<6).map { TarEntry("./f\($0)", "x") })
        #expect(await refusal(many, limits: limits).contains("more than 5 entries"))
        // What stands behind the end counts too.
        let tail = TarEntry.gzip(TarEntry.tar([TarEntry("./a", "x")]) + [UInt8](repeating: 0, count: 200_000))
        #expect(await refusal(tail, limits: limits).contains("more than"))
        #expect(await refusal([UInt8](repeating: 0, count: 1_000_001), limits: limits).contains("is larger than"))
    }

    @Test func `What is no gzipped tar, is cut off or damaged is refused`() async throws {
        let good = TarEntry.archive([TarEntry("./main.py", String(repeating: "x", count: 2_000))])
        var flipped = good
        flipped[700] ^= 0xFF
        for (archive, reason) in [
            ([], "not a gzipped tar"), (Array("hello".utf8), "not a gzipped tar"),
            (TarEntry.gzip(Array(repeating: 7, count: 2_000)), "not a gzipped tar"),
            (TarEntry.tar([TarEntry("./a", "x")]), "not a gzipped tar"), (Array(good.prefix(1_000)), "ends"),
            (flipped, "damaged"), (Array(good.dropLast(4)), "damaged"), (TarEntry.archive([]), "no files"),
        ] as [([UInt8], String)] {
            let message = await refusal(archive)
            #expect(message.contains(reason), "\(message)")
        }
    }
}
