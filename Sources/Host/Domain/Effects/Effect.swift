/// Something a step does to the outside world: a database made, an application deployed, a domain added.
///
/// Its intent is durable before it begins, under a key that stays the same over all attempts and hosts. So after a
/// crash the provider can be asked what became of it, and cleaning up knows everything that may have been done.
public struct Effect: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Begun; whether the provider carried it out is not known. Becomes any other.
        case intended
        /// Carried out. Becomes `undone` or `undoFailed`.
        case done
        /// Undone, or looked up and found never to have happened. Final.
        case undone
        /// Its undoing was begun and is not done: recorded before it begins, so that a run whose host is lost then is
        /// never completed. What stays so at the run's end could not be undone; `error` says why, and an operator has
        /// to look. Becomes `undone`.
        case undoFailed = "undo_failed"
    }

    /// The execution's id and the step's: `<uuid>/<step_id>`. Goes to the provider wherever it takes one.
    public let key: String
    public let stepID: String
    public let command: String
    public let provider: String
    public let pluginID: String
    public let state: State
    /// What was asked, without secrets: looking it up and undoing it say the same again.
    public let request: JSON
    /// What the provider needs to find it again: ids and names, never a secret. Null until it is done.
    public let resource: JSON
    /// Why it could not be undone.
    public let error: String?

    public init(
        key: String, stepID: String, command: String, provider: String, pluginID: String, request: JSON,
        state: State, resource: JSON = .null, error: String? = nil
    ) {
        self.key = key
        self.stepID = stepID
        self.command = command
        self.provider = provider
        self.pluginID = pluginID
        self.request = request
        self.state = state
        self.resource = resource
        self.error = error
    }

    /// The same effect in another state.
    public func becoming(_ state: State, resource: JSON? = nil, error: String? = nil) -> Effect {
        Effect(
            key: key, stepID: stepID, command: command, provider: provider, pluginID: pluginID, request: request,
            state: state, resource: resource ?? self.resource, error: error)
    }

    /// What a provider is asked about it, as the input of `lookup` and `undo`: the same request again, and what is known
    /// of the effect.
    public var inquiry: JSON {
        var input = request
        input.set("effect", ["command": .string(command), "key": .string(key), "resource": resource])
        return input
    }
}
