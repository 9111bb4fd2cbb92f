import Domain
import Testing

@testable import Sandbox

@Suite struct FaultScriptTests {
    @Test func `its faults wait in their order`() throws {
        let script = try FaultScript(
            Array(#"[{"kind": "status", "status": 529, "times": 2}, {"provider": "openai", "kind": "cut"}]"#.utf8))
        let queue = FaultQueue(script)
        #expect(queue.json["faults"]?.arrayValue?.map { $0["id"] } == [1, 2])
        #expect(queue.take(.openai, prompt: "x") != nil)
        #expect(queue.take(.anthropic, prompt: "x") != nil && queue.take(.anthropic, prompt: "x") != nil)
        #expect(queue.take(.anthropic, prompt: "x") == nil)
        #expect(try queue.add(try Fault(["kind": "cut"])) == 3)
    }

    @Test(arguments: [
        ("nonsense", "line 1, column 1"), (#"{"kind": "cut"}"#, "an array of faults, not"),
        (#"[{"kind": "cut"}, {"kind": "fire"}]"#, "fault 2 of 2: kind must be one of status, cut, invalid_json"),
        (#"[{"kind": "cut", "whom": 1}]"#, #"fault 1 of 1: unknown member "whom"; allowed are provider, kind"#),
        (#"[{"provider": "acme", "kind": "cut"}]"#, #"unknown provider "acme"; the sandbox plays anthropic, openai"#),
        ("[" + Array(repeating: "{}", count: 1_001).joined(separator: ",") + "]", "at most 1000"),
    ])
    func `what makes no sense is refused, with its place and what is allowed`(text: String, words: String) {
        let error = #expect(throws: SandboxError.self) { try FaultScript(Array(text.utf8)) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
