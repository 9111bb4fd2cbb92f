import Domain
import Foundation
import Synchronization
import Testing

@testable import Repositories

/// Names and contents that would mean something to a shell, to git or to a file system, if anybody took them for more
/// than text: a clone of them, and an archive, works and writes only inside its folder.
@Suite struct HostileSourceTests {
    /// Names that are allowed, nasty as they are.
    private static let names = [
        "-rf", "--upload-pack=touch pwned", "$(touch pwned)", "`touch pwned`", "a;touch pwned", "a&b", "a'b", "#a",
        "!a", "%PATH%",
        "~", "~root/x", "$HOME/x", "{{app_url}}", "${HOME}", "HEAD", "refs/heads/main", "config", "hooks/post-checkout",
        "objects/info/alternates", "info/attributes", ".gitignore", ".gitattributes", ".mailmap", ".lfsconfig",
        ".gitconfig",
        ".git-credentials", ".gitmodules.txt", "e\u{301}.txt", "日本/語.txt", "😀.md", "@", "a@{0}", "^x", "a..b/c",
        "a.lock",
        String(repeating: "n", count: 200), String(repeating: "d/", count: 31) + "f", "a b/ç [x]/(y)",
    ]

    private static let contents: [String: String] = [
        ".gitignore": "*\n!.gitignore\n", ".gitconfig": "[core]\n\tsshCommand = touch pwned\n",
        "~": "../../../../etc/passwd",
        ".gitattributes":
            "* filter=pwn diff=pwn merge=pwn ident export-ignore export-subst\n-rf text eol=crlf\n@ working-tree-encoding=UTF-16\n",
        ".lfsconfig": "[lfs]\n\turl = http://169.254.169.254/\n", "hooks/post-checkout": "#!/bin/sh\ntouch pwned\n",
        "config": "[core]\n\thooksPath = hooks\n\tfsmonitor = touch pwned\n", "objects/info/alternates": "/etc\n",
        "-rf": "one\ntwo\n",
        "HEAD": "ref: ../../../etc/passwd\n", "a&b": "crlf\r\nlf\ncr\r\u{FEFF}\u{202E}\u{1B}[2J", "@": "\u{D7FF}text\n",
        "refs/heads/main": "0000000000000000000000000000000000000000\n", "!a": "$Id$ $Format:%H$",
    ]

    private static var contribution: SourceContribution {
        SourceContribution(
            "-c core.fsmonitor='touch pwned'\u{1B}[2J\nA: B\r\n$(touch pwned)", names.map { ($0, contents[$0] ?? $0) },
            summary: "M 120000 inline x\ndata 3\n../\nreset refs/heads/other\n\u{0}")
    }

    /// What a program prints, run in a directory without the host's variables for git.
    private static func shell(_ script: String, _ arguments: [String], in directory: String) async throws -> String {
        let process = try GitProcess(
            Workshop.command(["-c", "unset GIT_DIR; \(script)", "sh"] + arguments, in: directory),
            with: GitExecutable(path: "/bin/sh"), home: directory, holding: [])
        return String(decoding: try await process.collect(limit: 10_000_000), as: UTF8.self)
    }

    /// Every file below a directory by its path, with its bytes; links and special files are told as such.
    private static func files(_ directory: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            let whole = directory + "/" + path
            let type = try FileManager.default.attributesOfItem(atPath: whole)[.type] as? FileAttributeType
            switch type {
            case .typeDirectory: continue
            case .typeRegular:
                #expect(!FileManager.default.isExecutableFile(atPath: whole), "\(path)")
                found[path] = try Data(contentsOf: URL(filePath: whole))
            default: Issue.record("\(path) is a \(type?.rawValue ?? "?")")
            }
        }
        return found
    }

    @Test func `every name is allowed, and the tree holds each`() throws {
        for name in Self.names { #expect(SourcePath.fault(in: name) == nil, "\(name)") }
        #expect(try SourceTree(merging: [Self.contribution]).files.count == Self.names.count)
    }

    @Test func `a clone works and writes only inside its folder`() async throws {
        let workshop = try Workshop()
        workshop.write([Self.contribution])
        let repository = try await workshop.repository()
        #expect(try await workshop.git("fsck", "--strict", "--full", "--no-progress", in: repository).isEmpty)
        let list = try await workshop.git("ls-tree", "-r", "-z", "main", in: repository)
        let entries = list.split(separator: "\0")
        #expect(entries.count == Self.names.count)
        #expect(entries.allSatisfy { $0.hasPrefix("100644 blob ") })
        #expect(try await workshop.git("for-each-ref", "--format=%(refname)", in: repository) == "refs/heads/main\n")
        #expect(try await workshop.git("rev-list", "--count", "main", in: repository) == "1\n")
        let message = try await workshop.git("log", "-1", "--format=%B", "main", in: repository)
        #expect(!message.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })

        let folder = Workshop.temporaryDirectory()
        _ = try await Self.shell(
            "git -c protocol.file.allow=always -c core.autocrlf=false clone -q --recurse-submodules -- \"$1\" \"$2\" 2>&1 && "
                + "git -C \"$2\" status --porcelain && git -C \"$2\" submodule status && git -C \"$2\" log -1 --stat >/dev/null",
            [repository.path, folder + "/clone"], in: folder)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["clone"])
        let clone = try FileManager.default.subpathsOfDirectory(atPath: folder + "/clone")
        #expect(!clone.contains { $0 == "pwned" || $0.hasSuffix("/pwned") || $0.hasPrefix(".git/modules") })
        let checkedOut = clone.filter { !$0.hasPrefix(".git/") && $0 != ".git" }
        for name in Self.names { #expect(checkedOut.contains { $0.utf8.elementsEqual(name.utf8) }, "\(name)") }
        // As they were written, whatever a checkout makes of the attributes.
        for name in Self.names {
            let content = try await workshop.git("cat-file", "blob", "main:\(name)", in: repository)
            #expect(content.utf8.elementsEqual((Self.contents[name] ?? name).utf8), "\(name)")
        }
    }

    @Test func `an archive unpacks to the same files and nothing beside them`() async throws {
        let workshop = try Workshop()
        workshop.write([Self.contribution])
        _ = try await workshop.archives.archive(of: workshop.execution)
        let bytes = try #require(workshop.blobs.kept.withLock { $0.first })
        let folder = Workshop.temporaryDirectory()
        try FileManager.default.createDirectory(atPath: folder + "/app", withIntermediateDirectories: false)
        _ = try await Workshop.unpack(bytes, ["xz", "-C", folder + "/app"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["app"])
        let files = try Self.files(folder + "/app")
        #expect(files.count == Self.names.count)
        for name in Self.names {
            let content = Self.contents[name] ?? name
            #expect(
                files.contains { $0.key.utf8.elementsEqual(name.utf8) && $0.value == Data(content.utf8) }, "\(name)")
        }
    }

    @Test(
        arguments: [
            [("é", "1"), ("e\u{301}", "2")], [("a", "1"), ("A", "2")], [("straße", "1"), ("STRASSE", "2")],
            [("a", "1"), ("a/b", "2")], [("A/b", "1"), ("a", "2")], [("x", "1"), (".git/hooks/post-checkout", "2")],
            [("x", "1"), ("../x", "2")], [("x", "1"), ("nul", "2")],
        ] as [[(String, String)]])
    func `steps whose files no system can hold together are a conflict`(files: [(String, String)]) async throws {
        let workshop = try Workshop()
        workshop.write(files.map { SourceContribution($0.0, [$0]) })
        let error = await refusal { _ = try await workshop.archives.archive(of: workshop.execution) }
        #expect(error?.code == .conflict)
        #expect(
            await refusal {
                _ = try await workshop.service.references(of: workshop.execution, user: workshop.user, version: nil)
            }?.code == .conflict)
    }

    @Test func `too many files and too many bytes are a conflict`() throws {
        let most = (0..<SourceTree.maximumFiles).map { ("f\($0)", "") }
        #expect(try SourceTree(merging: [SourceContribution("A", most)]).files.count == SourceTree.maximumFiles)
        #expect(throws: SourceError.self) {
            try SourceTree(merging: [SourceContribution("A", most), SourceContribution("B", [("f0", "")])])
        }
        let half = String(repeating: "x", count: SourceTree.maximumBytes / 2)
        #expect(try SourceTree(merging: [SourceContribution("A", [("a", half), ("b", half)])]).files.count == 2)
        #expect(throws: SourceError.self) {
            try SourceTree(merging: [SourceContribution("A", [("a", half), ("b", half + "x")])])
        }
    }
}
