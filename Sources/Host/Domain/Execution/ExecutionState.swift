/// Where an execution stands, as the API reports it.
public enum ExecutionState: String, Sendable, Hashable, CaseIterable {
    /// Admitted and durable; no worker has taken it yet. Becomes `running` or `cancelled`.
    case queued
    /// A worker owns it. Becomes any of the three final states; falls back to `queued` only when its worker
    /// shuts down in an orderly way.
    case running
    /// Every step that had to succeed did. Final.
    case completed
    /// A step that had to succeed did not. Final.
    case failed
    /// Its owner or an operator stopped it. Final.
    case cancelled

    public var isFinal: Bool { self == .completed || self == .failed || self == .cancelled }
}

/// How a step ended. A step that has not ended has no record.
public enum StepState: String, Sendable, Hashable, CaseIterable {
    case succeeded
    case failed
    /// Optional, and its inputs are absent.
    case skipped
    /// Optional, and it failed; the run went on.
    case failedOptional = "failed_optional"

    /// Whether the steps that depend on it may run.
    public var satisfiesDependents: Bool { self != .failed }
}

/// Why an execution or a step failed, in words made for the API client.
public struct ExecutionError: Sendable, Hashable {
    /// Stable and machine-readable: `provider_overloaded`.
    public let code: String
    public let message: String
    /// Name of the step it happened in.
    public let step: String?
    /// Whether starting the same run again may help.
    public let isRetryable: Bool
    /// What the client can do.
    public let action: String
    /// What the run did to the outside world and did not undo: `setup_domain at railway`.
    public let leftovers: [String]

    public init(
        code: String, message: String, step: String?, isRetryable: Bool, action: String, leftovers: [String] = []
    ) {
        self.code = code
        self.message = message
        self.step = step
        self.isRetryable = isRetryable
        self.action = action
        self.leftovers = leftovers
    }

    /// The same error, with what the run left behind.
    public func leaving(_ leftovers: [String]) -> ExecutionError {
        ExecutionError(
            code: code, message: message, step: step, isRetryable: isRetryable, action: action, leftovers: leftovers)
    }

    public var json: JSON {
        var json: JSON = [
            "code": .string(code), "message": .string(message), "step": step.map { .string($0) } ?? .null,
            "retryable": .bool(isRetryable), "action": .string(action),
        ]
        if !leftovers.isEmpty { json.set("not_undone", .array(leftovers.map { .string($0) })) }
        return json
    }
}
