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
            ([("straße", ""), ("STRASSE", "")], "only in case"), ([("é", ""), ("e\u{301}", "")], "there twice"),
            ([("É/a", ""), ("e\u{301}", "")], "a folder of"), ([(".Git/hooks/post-checkout", "#!/bin/sh")], "git"),
            ([("x/git~1", "")], "git"), ([(".g\u{200C}it/config", "")], "invisible"), ([("", "")], "empty"),
            ([("a\u{0}b", "")], "control"), ([("C:\\x", "")], "backslash"), ([("c:/x", "")], "absolute"),
            ([(".gitmodules", "[submodule \"x\"]")], "git"), ([("nul.txt", "")], "device"),
            ([(String(repeating: "d/", count: 32) + "f", "")], "deep"),
            ([(String(repeating: "n", count: 201), "")], "longer than 200"),
            ([(String(repeating: "abcdefg/", count: 80) + "f", "")], "longer than 512"),
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

    /// What a model writes is read as it can be: what is no character becomes one that says so.
    @Test func `bytes that are no text do no harm`() throws {
        let bytes =
            Array(#"{"summary":"x","files":[{"path":"a","content":"\ud800 \u0000 "#.utf8) + [0xFF, 0xC0]
            + Array(#"\r\n"},{"path":"b\udfff","content":""}]}"#.utf8)
        let answer = try JSON.parse(bytes, .init(repairsStrings: true))
        #expect(AnswerFiles.faults(in: answer).isEmpty)
        #expect(answer.filePaths == ["a", "b\u{FFFD}"])
        let content = answer["files"]?.arrayValue?.first?["content"]?.stringValue
        #expect(content == "\u{FFFD} \u{FFFD} \u{FFFD}\u{FFFD}\r\n")
    }

    @Test func `files that are no list, and members that are none, are the schema's to refuse`() {
        for files: JSON in ["x", ["path": "a"], [1, .null, ["path": 1, "content": []]], .null] {
            let answer: JSON = ["summary": "x", "files": files]
            #expect(AnswerFiles.faults(in: answer).isEmpty)
            #expect(!AnswerSchema.faults(of: answer, against: AnswerSchema.schema(for: AnswerFields())).isEmpty)
        }
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
