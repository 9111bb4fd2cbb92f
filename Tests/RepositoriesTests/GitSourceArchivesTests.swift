import Domain
import Synchronization
import Testing

@testable import Repositories

@Suite struct GitSourceArchivesTests {
    @Test func `packs the merged files with paths that begin with a dot`() async throws {
        let workshop = try Workshop()
        workshop.write([
            SourceContribution("A", [("README.md", "one"), ("app/main.js", "run\r\n")]),
            SourceContribution(
                "B", [("README.md", "$Format:%H$"), (".gitattributes", "* export-ignore export-subst eol=lf\n")]),
        ])
        let archive = try await workshop.archives.archive(of: workshop.execution)
        #expect(archive.paths == [".gitattributes", "README.md", "app/main.js"])
        #expect(archive.remarks == [#"README.md of "A" was replaced by "B""#])
        let bytes = try #require(workshop.blobs.kept.withLock { $0.first })
        #expect(archive.digest == "1" && archive.bytes == bytes.count)
        #expect(
            try await Workshop.unpack(bytes, ["tz"])
                == "./\n./.gitattributes\n./README.md\n./app/\n./app/main.js\n")
        // Whatever the generated attributes say, files arrive as they were written.
        #expect(try await Workshop.unpack(bytes, ["xzO", "./README.md"]) == "$Format:%H$")
        #expect(try await Workshop.unpack(bytes, ["xzO", "./app/main.js"]) == "run\r\n")
    }

    @Test func `the same contributions give the same bytes`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1"), ("b/c", "2")])])
        let other = try Workshop()
        other.write([SourceContribution("A", [("a", "1"), ("b/c", "2")])])
        _ = try await workshop.archives.archive(of: workshop.execution)
        _ = try await other.archives.archive(of: other.execution)
        #expect(workshop.blobs.kept.withLock { $0 } == other.blobs.kept.withLock { $0 })
    }

    @Test func `nothing to pack is said so`() async throws {
        let workshop = try Workshop()
        for contributions in [[], [SourceContribution("A", [])]] {
            workshop.write(contributions)
            let error = await refusal { _ = try await workshop.archives.archive(of: workshop.execution) }
            #expect(error?.code == .empty)
        }
        let unknown = UUIDv7(at: Timestamp(microseconds: 0))
        #expect(await refusal { _ = try await workshop.archives.archive(of: unknown) }?.code == .empty)
    }

    @Test func `a conflict comes through with its words`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1")]), SourceContribution("B", [("A", "2")])])
        let error = await refusal { _ = try await workshop.archives.archive(of: workshop.execution) }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("\"B\"") == true)
    }

    @Test func `a ledger or a blob store that is away is unavailable`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1")])])
        workshop.blobs.isFull.withLock { $0 = true }
        #expect(await refusal { _ = try await workshop.archives.archive(of: workshop.execution) }?.code == .unavailable)
        workshop.reader.fail(LedgerError(.unavailable, "down"))
        #expect(await refusal { _ = try await workshop.archives.archive(of: workshop.execution) }?.code == .unavailable)
    }

    @Test func `git is found, or its absence is said`() throws {
        #expect(try GitExecutable.find().path.hasSuffix("/git"))
    }
}
