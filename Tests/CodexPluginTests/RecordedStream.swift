import PluginKit
import PluginTestHost
import Testing

@testable import CodexPlugin

/// Event streams as the Responses API sends them.
enum RecordedStream {
    /// A text answer after some thought and a comment, with a cached prefix, multi-byte characters, and events and
    /// members that no client knows yet.
    static let text = """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_01","object":"response",\
        "status":"in_progress","model":"gpt-5.3-codex-2026-02-05","output":[],"usage":null}}

        event: response.in_progress
        data: {"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_01","output":[],"usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,\
        "item":{"id":"rs_01","type":"reasoning","summary":[]}}

        event: response.reasoning_summary_text.delta
        data: {"type":"response.reasoning_summary_text.delta","sequence_number":3,"output_index":0,"delta":"hm"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":4,"output_index":0,\
        "item":{"id":"rs_01","type":"reasoning","summary":[]}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":5,"output_index":1,\
        "item":{"id":"msg_00","type":"message","role":"assistant","phase":"commentary","content":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":6,"output_index":1,"delta":"I will greet."}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":7,"output_index":2,\
        "item":{"id":"msg_01","type":"message","role":"assistant","phase":"final_answer","content":[]}}

        event: response.content_part.added
        data: {"type":"response.content_part.added","sequence_number":8,"output_index":2,"content_index":0,\
        "part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":9,"output_index":2,"content_index":0,\
        "delta":"Grüße, ","logprobs":[],"obfuscation":"x7"}

        event: response.brand_new_event
        data: not even JSON

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":10,"output_index":2,"content_index":0,\
        "delta":"\\u4e16界 👋","logprobs":[]}

        event: response.output_text.done
        data: {"type":"response.output_text.done","sequence_number":11,"output_index":2,"text":"Grüße, 世界 👋"}

        event: response.content_part.done
        data: {"type":"response.content_part.done","sequence_number":12,"output_index":2,\
        "part":{"type":"output_text","text":"Grüße, 世界 👋","annotations":[],"logprobs":[]}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":13,"output_index":2,"item":\(message)}

        event: response.completed
        data: {"type":"response.completed","sequence_number":14,"response":\(completed)}


        """

    private static let message = """
        {"id":"msg_01","type":"message","status":"completed","role":"assistant","phase":"final_answer",\
        "content":[{"type":"output_text","text":"Grüße, 世界 👋","annotations":[],"logprobs":[]}]}
        """

    /// The answer of `text`, as it comes without a stream.
    static let completed = """
        {"id":"resp_01","object":"response","status":"completed","error":null,"incomplete_details":null,\
        "model":"gpt-5.3-codex-2026-02-05","output":[{"id":"rs_01","type":"reasoning","summary":[]},\
        {"id":"msg_00","type":"message","status":"completed","role":"assistant","phase":"commentary",\
        "content":[{"type":"output_text","text":"I will greet."}]},\(message)],"usage":{"input_tokens":4325,\
        "input_tokens_details":{"cached_tokens":4000,"cache_write_tokens":300},"output_tokens":79,\
        "output_tokens_details":{"reasoning_tokens":64},"total_tokens":4404}}
        """

    static let created = event("response.created", ["response": ["model": "gpt-5.3-codex", "usage": .null]])

    static func event(_ name: String, _ members: JSON) -> String {
        var data = JSONObject()
        data["type"] = .string(name)
        for member in members.objectValue?.members ?? [] { data[member.key] = member.value }
        return "event: \(name)\ndata: \(JSON.object(data).text)\n\n"
    }

    /// A piece of text.
    static func delta(_ text: String) -> String {
        event("response.output_text.delta", ["output_index": 0, "delta": .string(text)])
    }

    static let usage: JSON = ["input_tokens": 5, "output_tokens": 9]

    /// The last event of a stream, with anything in its response.
    static func end(_ status: String, _ members: JSON = [:]) -> String {
        var response = JSONObject()
        response["object"] = "response"
        response["status"] = .string(status)
        response["usage"] = usage
        for member in members.objectValue?.members ?? [] { response[member.key] = member.value }
        return event("response.\(status)", ["response": .object(response)])
    }

    /// A short stream with this text that ends well.
    static func short(_ text: String) -> String { created + delta(text) + end("completed") }
}

func request(_ members: JSON = [:]) throws -> GenerateRequest {
    var input = JSONObject()
    input["messages"] = [["role": "user", "content": "Greet the world."]]
    input["max_output_tokens"] = 100
    for member in members.objectValue?.members ?? [] { input[member.key] = member.value }
    return try GenerateRequest(.object(input), defaultModel: "gpt-5.3-codex")
}

/// Reads a stream and gives what it emits beside its result.
func read(
    _ pieces: Pieces, for request: GenerateRequest, requestID: String? = "req_7"
) async throws -> (result: JSON, outputs: [ResponseStream.Output]) {
    var outputs: [ResponseStream.Output] = []
    let result = try await Answer(request: request, providerRequestID: requestID)
        .read(pieces) { outputs.append($0) }
    return (result, outputs)
}

func read(_ text: String, for request: GenerateRequest) async throws -> JSON {
    try await read(Pieces(pieces: [Array(text.utf8)]), for: request).result
}

/// The error that reading this stream ends with.
func failure(_ text: String, for request: GenerateRequest, then failure: PluginError? = nil) async -> PluginError? {
    await #expect(throws: PluginError.self) {
        try await read(Pieces(pieces: [Array(text.utf8)], failure: failure), for: request)
    }
}
