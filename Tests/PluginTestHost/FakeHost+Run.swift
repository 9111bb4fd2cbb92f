public import PluginKit

extension FakeHost {
    public struct Answer: Sendable {
        public var status: Int64
        /// Each its name and its value.
        public var headers: [[JSON]]
        public var body: String
        /// The connection breaks instead.
        public var isBroken: Bool

        public init(status: Int64 = 200, headers: [[JSON]] = [], body: String = "", isBroken: Bool = false) {
            self.status = status
            self.headers = headers
            self.body = body
            self.isBroken = isBroken
        }
    }

    public struct Outcome: Sendable {
        public let status: Int
        public let result: JSON
        /// The log lines that were emitted, each as `stream: message`.
        public let logs: [String]
        /// The pauses that the plugin made, in milliseconds.
        public let pauses: [UInt64]

        public var message: String { result["message"]?.stringValue ?? "" }
    }

    /// Carries out one call that may emit log lines: each request gets the answer that the closure gives, each timer
    /// fires at once. The call is cancelled at the request for which the closure gives none. To be used once.
    public func run(
        _ operation: String, input: JSON, key: String, answer: (Sent) -> Answer?
    ) async -> Outcome {
        defer { destroy() }
        let accepted = start(operation, input: input, key: key)
        guard accepted == AIB_OK else { return Outcome(status: Int(accepted), result: .null, logs: [], pauses: []) }
        var pauses: [UInt64] = []
        for await event in events {
            switch event {
            case .request(let sent):
                switch answer(sent) {
                case let answer? where answer.isBroken: fail(sent, "connection reset")
                case let answer?: self.answer(sent, status: answer.status, headers: answer.headers, body: answer.body)
                case nil: cancel()
                }
            case .timer(let timer):
                pauses.append(timer.milliseconds)
                fire(timer)
            case .refusedChunk: preconditionFailure("the window is open")
            case .completed(let status, let result):
                return Outcome(status: Int(status), result: result, logs: emitted.map(\.logLine), pauses: pauses)
            }
        }
        return Outcome(status: Int(AIB_E_INTERNAL), result: .null, logs: [], pauses: pauses)
    }
}

extension FakeHost.Chunk {
    fileprivate var logLine: String {
        guard kind == UInt32(AIB_CHUNK_LOG), let line = try? JSON.parse(text), let stream = line["stream"]?.stringValue,
            let message = line["message"]?.stringValue
        else { return "no line of a log: \(text)" }
        return "\(stream): \(message)"
    }
}
