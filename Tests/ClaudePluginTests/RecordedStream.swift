import PluginKit
import PluginTestHost
import Testing

@testable import ClaudePlugin

/// Event streams as the Messages API sends them.
enum RecordedStream {
    /// A text answer with a cached prefix, thinking in front, multi-byte characters, a ping, and an event and members
    /// that no client knows yet.
    static let text = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant",\
        "model":"claude-sonnet-5-5-20260801","content":[],"stop_reason":null,"stop_sequence":null,\
        "usage":{"input_tokens":25,"cache_creation_input_tokens":300,"cache_read_input_tokens":4000,\
        "cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},\
        "output_tokens":1,"service_tier":"standard"}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

        event: ping
        data: {"type": "ping"}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße, "}}

        event: brand_new_event
        data: not even JSON

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"\\u4e16界 👋"},"new":1}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},\
        "usage":{"input_tokens":null,"output_tokens":7}}

        event: message_delta
        data: {"type":"message_delta","delta":{},\
        "usage":{"output_tokens":15,"output_tokens_details":{"thinking_tokens":4}}}

        event: message_stop
        data: {"type":"message_stop"}


        """

    /// The beginning of `text`, up to the first event that states usage.
    static var start: String { text.components(upTo: "event: content_block_start") }

    /// A short stream with this text, stop reason and anything before its end.
    static func short(
        _ text: String, stopReason: String, stopDetails: JSON = .null, output: Int64 = 9
    ) -> String {
        let delta: JSON = ["type": "text_delta", "text": .string(text)]
        let end: JSON = ["stop_reason": .string(stopReason), "stop_details": stopDetails]
        return """
            event: message_start
            data: {"type":"message_start","message":{"model":"claude-sonnet-5-5",\
            "usage":{"input_tokens":5,"output_tokens":1}}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":\(delta.text)}

            event: message_delta
            data: {"type":"message_delta","delta":\(end.text),"usage":{"output_tokens":\(output)}}

            event: message_stop
            data: {"type":"message_stop"}


            """
    }
}

func request(_ members: JSON = [:]) throws -> GenerateRequest {
    var input = JSONObject()
    input["messages"] = [["role": "user", "content": "Greet the world."]]
    input["max_output_tokens"] = 100
    for member in members.objectValue?.members ?? [] { input[member.key] = member.value }
    return try GenerateRequest(.object(input), defaultModel: "claude-sonnet-5-5")
}

/// Reads a stream and gives what it emits beside its result.
func read(
    _ pieces: Pieces, for request: GenerateRequest, requestID: String? = "req_7"
) async throws -> (result: JSON, outputs: [MessageStream.Output]) {
    var outputs: [MessageStream.Output] = []
    let result = try await Answer(request: request, providerRequestID: requestID)
        .read(pieces) { outputs.append($0) }
    return (result, outputs)
}

/// The error that reading this stream ends with.
func failure(_ text: String, for request: GenerateRequest, then failure: PluginError? = nil) async -> PluginError? {
    await #expect(throws: PluginError.self) {
        try await read(Pieces(pieces: [Array(text.utf8)], failure: failure), for: request)
    }
}

extension String {
    /// What comes before the first occurrence.
    func components(upTo text: String) -> String { firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self }
}
