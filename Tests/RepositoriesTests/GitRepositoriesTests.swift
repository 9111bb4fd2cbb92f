import Domain
import Testing

@testable import Repositories

@Suite struct GitRepositoriesTests {
    private static let contributions = [
        SourceContribution(
            "Architecture Planning", [("README.md", "# Shop\n"), ("src/a b.js", "one\n")], summary: "Planned it.\u{7}"),
        SourceContribution("Nothing", []),
        SourceContribution(
            "Code Generation", [("src/a b.js", "two\r\n"), ("ünï/x", ""), (".gitattributes", "* export-ignore\n")],
            time: Timestamp(microseconds: 1_795_420_860_000_000)),
    ]

    @Test func `each contribution is a commit of its own time, by the team`() async throws {
        let workshop = try Workshop()
        workshop.write(Self.contributions)
        let repository = try await workshop.repository()
        let log = try await workshop.git(
            "log", "--reverse", "--format=%an <%ae> %at %ct %cn%n%B", "main", in: repository)
        #expect(
            log == """
                AI Backend Team <team@aibackend.invalid> 1795420800 1795420800 AI Backend Team
                Architecture Planning

                Planned it.

                AI Backend Team <team@aibackend.invalid> 1795420860 1795420860 AI Backend Team
                Code Generation


                """)
        #expect(
            try await workshop.git("-c", "core.quotepath=off", "ls-tree", "-r", "--name-only", "main", in: repository)
                == ".gitattributes\nREADME.md\nsrc/a b.js\nünï/x\n")
        #expect(try await workshop.git("show", "main:src/a b.js", in: repository) == "two\r\n")
        #expect(try await workshop.git("show", "main~1:src/a b.js", in: repository) == "one\n")
        #expect(try await workshop.git("fsck", "--strict", "--full", "--no-progress", in: repository).isEmpty)
    }

    @Test func `the same contributions give the same commits anywhere`() async throws {
        var ids: [String] = []
        for _ in 0..<2 {
            let workshop = try Workshop()
            workshop.write(Self.contributions)
            ids.append(try await workshop.git("rev-parse", "main", in: workshop.repository()))
        }
        #expect(ids[0] == ids[1] && ids[0].utf8.count == 41)
    }

    @Test func `a repository is made anew when the contributions changed, and only then`() async throws {
        let workshop = try Workshop()
        workshop.write([Self.contributions[0]])
        var repository = try await workshop.repository()
        let first = repository.path
        let head = try await workshop.git("rev-parse", "main", in: repository)
        repository = try await workshop.repository()
        #expect(repository.path == first)
        // One that is read stays beside the new one; the next build takes it away.
        workshop.write(Self.contributions)
        let second = try await workshop.repository()
        #expect(workshop.names.count == 2 && second.path != first)
        #expect(try await workshop.git("rev-parse", "main~1", in: second) == head)
        #expect(try await workshop.git("rev-parse", "main", in: repository) == head)
    }

    @Test func `what nobody reads, and what a crash left, goes with the next build`() async throws {
        let workshop = try Workshop()
        workshop.write([Self.contributions[0]])
        do { _ = try await workshop.repository() }
        let folder = RepositoryFolder(path: "\(workshop.directory)/repositories/\(workshop.execution)")
        _ = try folder.makeDraft("draft-of-a-crash")
        workshop.write(Self.contributions)
        let repository = try await workshop.repository()
        #expect(workshop.names == [String(repository.path.split(separator: "/").last ?? "")])
    }

    @Test func `a host that starts again finds what it built`() async throws {
        let workshop = try Workshop()
        workshop.write(Self.contributions)
        let path = try await workshop.repository().path
        // With a git that cannot do anything.
        let other = try Workshop(git: Workshop.script("exit 7"), directory: workshop.directory)
        let history = try SourceHistory(Self.contributions)
        #expect(try await other.repositories.repository(of: workshop.execution, history).path == path)
    }

    @Test func `requests at the same time share one build`() async throws {
        let count = Workshop.temporaryDirectory() + "/count"
        let real = try GitExecutable.find()
        let workshop = try Workshop(git: Workshop.script("echo x >> \(count); exec \(real.path) \"$@\""))
        workshop.write(Self.contributions)
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await workshop.repository().path } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(paths.count == 1)
        #expect(try await Workshop.text(count) == "x\n")
    }

    @Test func `a build that fails leaves nothing that counts, and the next one can succeed`() async throws {
        let workshop = try Workshop(git: Workshop.script("echo 'fatal: disk is full' >&2; exit 128"))
        workshop.write(Self.contributions)
        let error = await refusal { _ = try await workshop.repository() }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "git fast-import failed: fatal: disk is full")
        #expect(workshop.names.allSatisfy { $0.hasPrefix("draft-") })
        let mended = try Workshop(directory: workshop.directory)
        mended.reader.set(Self.contributions, of: workshop.execution, user: workshop.user)
        let repository = try await mended.repositories.repository(
            of: workshop.execution, SourceHistory(Self.contributions))
        #expect(workshop.names == [String(repository.path.split(separator: "/").last ?? "")])
    }

    @Test func `no contribution gives a repository without a commit`() async throws {
        let workshop = try Workshop()
        let repository = try await workshop.repository()
        #expect(try await workshop.git("for-each-ref", in: repository).isEmpty)
    }

    @Test func `text of a model stays text in a commit's message`() async throws {
        let workshop = try Workshop()
        workshop.write([
            SourceContribution(
                "  \u{1B}[31m\ncommit refs/heads/x  ", [("a", "data 3\ndone\n")],
                summary: "one\0two\u{202E}\r\n\nM 100644 inline x\n")
        ])
        let repository = try await workshop.repository()
        let log = try await workshop.git("log", "--format=%B", "main", in: repository)
        #expect(log == "[31m commit refs/heads/x\n\none two  \n\nM 100644 inline x\n\n")
        #expect(try await workshop.git("show", "main:a", in: repository) == "data 3\ndone\n")
    }
}
