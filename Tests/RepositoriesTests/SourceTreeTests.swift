import Domain
import Testing

@testable import Repositories

@Suite struct SourceTreeTests {
    private func merged(_ contributions: SourceContribution...) throws(SourceError) -> SourceTree {
        try SourceTree(merging: contributions)
    }

    @Test func `files of all steps are there, in the order of their paths`() throws {
        let tree = try merged(
            SourceContribution("Plan", [("src/b.js", "b"), ("README.md", "r")]),
            SourceContribution("Build", [("src/a.js", "a"), ("src-old", "o")]))
        #expect(tree.files.map(\.path) == ["README.md", "src-old", "src/a.js", "src/b.js"])
        #expect(tree.remarks.isEmpty)
    }

    @Test func `a later step's file replaces an earlier step's, and that is said`() throws {
        let tree = try merged(
            SourceContribution("A", [("README.md", "one"), ("same", "x")]),
            SourceContribution("B", [("README.md", "two"), ("same", "x")]),
            SourceContribution("C", [("README.md", "three")]))
        #expect(tree.files.map { [$0.path, $0.content] } == [["README.md", "three"], ["same", "x"]])
        #expect(
            tree.remarks == [
                #"README.md of "A" was replaced by "B""#, #"README.md of "B" was replaced by "C""#,
            ])
    }

    @Test func `remarks do not grow without bound`() throws {
        let files = (0..<150).map { ("f\($0)", "1") }
        let tree = try merged(
            SourceContribution("A", files), SourceContribution("B", files.map { ($0.0, "2") }))
        #expect(tree.remarks.count == 101)
        #expect(tree.remarks.last == "and 50 more files were replaced")
    }

    @Test(arguments: [
        ("README.md", "readme.md"), ("src/App.js", "SRC/app.js"), ("caf\u{E9}.txt", "cafe\u{301}.txt"),
    ])
    func `two spellings of one file are a conflict that names both`(first: String, second: String) throws {
        let error = #expect(throws: SourceError.self) {
            try merged(SourceContribution("First", [(first, "1")]), SourceContribution("Second", [(second, "2")]))
        }
        #expect(error?.code == .conflict)
        for text in [first, second, "\"First\"", "\"Second\""] { #expect(error?.message.contains(text) == true) }
    }

    @Test(arguments: [("src", "src/a.js"), ("src/a.js", "src"), ("a/B", "A/b/c"), ("a/b/c", "A/B")])
    func `a file where another step has a folder is a conflict that names both`(first: String, second: String) {
        let error = #expect(throws: SourceError.self) {
            try merged(SourceContribution("First", [(first, "1")]), SourceContribution("Second", [(second, "2")]))
        }
        #expect(error?.code == .conflict)
        for text in ["\"First\"", "\"Second\"", "is a folder of"] { #expect(error?.message.contains(text) == true) }
    }

    @Test(arguments: [
        "../x", "/etc/passwd", "a//b", ".git/config", "a/.GIT/hooks/x", "a\\b", "a\nb", "", "a/", "./a", "c:/x",
        "..\u{2F}\u{338}x", "/\u{338}etc", "a\"b", ".gitmodules", "git~1", "a/\u{301}b",
    ])
    func `a path that leads out, or into git, is refused here too`(path: String) {
        let error = #expect(throws: SourceError.self) {
            try merged(SourceContribution("Step", [(path, "x")]))
        }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("\"Step\"") == true)
    }

    @Test func `there is a limit on files and bytes of all steps together`() throws {
        let many = (0..<2_600).map { ("f\($0)", "") }
        let big = [("big", String(repeating: "x", count: 17 * 1_048_576))]
        for files in [many, big] {
            _ = try merged(SourceContribution("A", files))
            let error = #expect(throws: SourceError.self) {
                try merged(SourceContribution("A", files), SourceContribution("B", files))
            }
            #expect(error?.message.contains("\"B\"") == true)
        }
    }
}
