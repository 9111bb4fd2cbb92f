import Domain
import Synchronization
import Testing

@testable import Engine

@Suite struct AnswerFilesTests {
    private func answer(_ files: [(String, String)]) -> JSON {
        [
            "summary": "x",
            "files": .array(files.map { ["path": .string($0.0), "content": .string($0.1)] }),
        ]
    }

    @Test func `ordinary files have no fault`() {
        #expect(AnswerFiles.faults(in: answer([("main.py", "print()"), ("web/index.html", "")])).isEmpty)
        #expect(AnswerFiles.faults(in: answer([])).isEmpty)
    }

    @Test(
        arguments: [
            ([("../x", "")], "must stay where it is"), ([("/x", "")], "absolute"),
            ([("a", ""), ("a", "")], "there twice"),
            ([("README.md", ""), ("readme.md", "")], "only in case"), ([("a", ""), ("a/b", "")], "a folder of"),
            ([("A", ""), ("a/b/c", "")], "a folder of"), ([("a", "x\u{0}y")], "NUL"),
            ([("a", String(repeating: "x", count: 1_048_577))], "longer than"),
        ] as [([(String, String)], String)])
    func `a file that cannot be kept is named with the reason`(files: [(String, String)], word: String) {
        let faults = AnswerFiles.faults(in: answer(files))
        #expect(faults.count == 1 && faults[0].contains(word), "\(faults)")
    }

    @Test func `the whole is bounded, and so are the faults`() {
        let many = (0...AnswerFiles.maximumFiles).map { ("f\($0)", "") }
        #expect(AnswerFiles.faults(in: answer(many)).first?.contains("at most 500") == true)
        let large = (0..<9).map { ("f\($0)", String(repeating: "x", count: 1_000_000)) }
        #expect(AnswerFiles.faults(in: answer(large)).contains { $0.contains("together") })
        let bad = (0..<100).map { ("../\($0)", "") }
        #expect(AnswerFiles.faults(in: answer(bad)).count == AnswerSchema.maximumFaults)
    }

    @Test func `a model is told once what was wrong with its files`() async throws {
        let asked = Mutex<[String]>([])
        let dispatch = ScriptedDispatch { invocation, _ in
            asked.withLock { $0.append(invocation.prompt) }
            let path = asked.withLock { $0.count } == 1 ? "../../etc/cron.d/x" : "main.py"
            var result = blank
            result.set("structured", ["summary": "s", "files": [["path": .string(path), "content": "x"]]])
            return result
        }
        let fixture = RunFixture()
        try await fixture.run(.fresh(plan: plan(.ai("1"))), dispatch)
        #expect(fixture.ledger.ending?.state == .completed)
        let prompts = asked.withLock { $0 }
        #expect(prompts.count == 2 && prompts[1].contains("must stay where it is"))
        #expect(fixture.ledger.records.first?.output.filePaths == ["main.py"])
    }

    @Test func `contents of files are not handed to deployment targets`() {
        let value: JSON = ["backend": answer([("main.py", "secret source")]), "other": ["files": "not a list"]]
        let stripped = value.withoutFileContents
        #expect(stripped["backend"]?["files"] == ["main.py"])
        #expect(stripped["other"]?["files"] == "not a list")
        #expect(!stripped.text.contains("secret source"))
    }
}

/// An `ai.generate` result whose structured part is replaced.
private let blank = answer("")
