import PluginABI

/// The life of one call, as decisions without effects: an event goes in, what is to be done comes out.
///
///     queued ──begin──▶ open ──cancel──▶ cancelling
///       │                │ │                │  │
///       │                │ └──deadline──▶ draining
///       └────────────────┴──complete, grace──▶ over
///
/// The caller is answered once, on the way into `draining` or `over`; the plugin's completion is due until `over`.
struct CallState: Sendable {
    enum Phase: Sendable, Hashable {
        /// The plugin has not heard of it. Becomes `open` or, where it is cancelled or late before, `over`.
        case queued
        /// The plugin works on it. Becomes `cancelling`, `draining` or `over`.
        case open
        /// The plugin was told to stop, and the caller waits for what it says. Becomes `draining` or `over`.
        case cancelling
        /// The caller has been told that time is up; the plugin's completion is due, and no longer means anything.
        /// Becomes `over`.
        case draining
        /// The id names nothing any more.
        case over
    }

    /// How a call ended for its caller.
    enum Ending: Sendable, Hashable { case completed, refused, cancelled, timedOut }

    /// What the event's receiver has to do.
    struct Effects: Sendable, Equatable {
        /// Answer the caller so.
        var answer: Ending?
        /// Call the plugin's `cancel`.
        var tellsPlugin = false
        /// Report the end of the grace period to `graceEnded` when it comes.
        var startsGrace = false
        /// End the call's transfers, timers and requests.
        var endsServices = false
        /// Forget the id.
        var closes = false
        var misbehaviour: Misbehaviour?
    }

    /// The output a caller has not taken yet.
    static let windowBytes = 262_144
    static let maximumChunkBytes = 65_536

    private(set) var phase = Phase.queued
    private var untakenBytes = 0
    private var owesWritable = false

    /// Whether the plugin may emit and use services for it.
    var isServed: Bool { phase == .open || phase == .cancelling }

    /// The plugin is about to be given the call; false where there is no need any more.
    mutating func begin() -> Bool {
        guard phase == .queued else { return false }
        phase = .open
        return true
    }

    /// `start` returned something other than OK.
    mutating func refuse() -> Effects {
        switch phase {
        case .open, .cancelling: return end(.refused)
        case .draining: return end(nil)
        case .queued, .over: return Effects(misbehaviour: .refusalAfterCompletion)
        }
    }

    /// The plugin completed it. The answer to the plugin, and what is to be done.
    mutating func complete() -> (status: Int, Effects) {
        switch phase {
        case .open, .cancelling: return (AIB_OK, end(.completed))
        case .draining: return (AIB_E_STALE, end(nil))
        case .queued, .over: return (AIB_E_STALE, Effects(misbehaviour: .staleCompletion))
        }
    }

    /// The caller lost interest.
    mutating func cancel() -> Effects {
        switch phase {
        case .queued: return end(.cancelled)
        case .open:
            phase = .cancelling
            return Effects(tellsPlugin: true, startsGrace: true)
        case .cancelling, .draining, .over: return Effects()
        }
    }

    /// The deadline has come.
    mutating func expire() -> Effects {
        switch phase {
        case .queued: return end(.timedOut)
        case .open:
            phase = .draining
            return Effects(answer: .timedOut, tellsPlugin: true, startsGrace: true, endsServices: true)
        case .cancelling:
            phase = .draining
            return Effects(answer: .cancelled, endsServices: true)
        case .draining, .over: return Effects()
        }
    }

    /// The plugin had its time to complete what it was told to stop.
    mutating func graceEnded() -> Effects {
        switch phase {
        case .cancelling: return end(.cancelled, .neverCompleted)
        case .draining: return end(nil, .neverCompleted)
        case .queued, .open, .over: return Effects()
        }
    }

    private mutating func end(_ answer: Ending?, _ misbehaviour: Misbehaviour? = nil) -> Effects {
        phase = .over
        return Effects(answer: answer, endsServices: true, closes: true, misbehaviour: misbehaviour)
    }

    // MARK: The output window

    /// The plugin emits a chunk of so many bytes: `AIB_OK`, `AIB_E_AGAIN`, `AIB_E_STALE` or `AIB_E_INVALID`.
    mutating func emit(_ count: Int) -> Int {
        guard isServed else { return AIB_E_STALE }
        guard count <= Self.maximumChunkBytes else { return AIB_E_INVALID }
        guard untakenBytes + count <= Self.windowBytes else {
            owesWritable = true
            return AIB_E_AGAIN
        }
        untakenBytes += count
        return AIB_OK
    }

    /// The caller took so many bytes; true where the plugin is to be told that there is room again.
    mutating func take(_ count: Int) -> Bool {
        untakenBytes -= count
        guard owesWritable, isServed, untakenBytes <= Self.windowBytes / 2 else { return false }
        owesWritable = false
        return true
    }
}

/// A rule of the ABI that a plugin broke: the `kind` of `plugin_misbehaviour_total`.
enum Misbehaviour: String, Sendable, Hashable {
    /// A completion of a call that is over: the second, or one that came after the grace period.
    case staleCompletion = "stale_completion"
    /// A completion of an id that never named a call.
    case unknownCompletion = "unknown_completion"
    case refusalAfterCompletion = "refusal_after_completion"
    case neverCompleted = "never_completed"
    case unknownChunk = "unknown_chunk"
    case oversizedChunk = "oversized_chunk"
    case invalidUsage = "invalid_usage"
    case invalidLog = "invalid_log"
    case invalidResult = "invalid_result"
    case invalidError = "invalid_error"
    /// `start`, `cancel` or `on_event` took more than a millisecond.
    case slowFunction = "slow_function"
}
