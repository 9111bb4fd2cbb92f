import Domain

/// What a running step tells its run. The run alone writes checkpoints; steps only report.
enum StepEvent: Sendable {
    /// A line for the run's log; the run numbers it.
    case line(LogLine.Level, step: String?, message: String)
    /// A provider call's outcome is known.
    case settled(CallSettlement, step: String, provider: String)
    /// An effect was begun, or is in another state now.
    case effect(Effect)
    /// A deployment as it is now.
    case deployment(DeploymentRecord)
    /// The step has ended; its record is to be made durable.
    case ended(Int, StepRecord)
    /// The step stopped without having ended.
    case interrupted(Int, RunInterruption)
    /// What is done when no step runs any more (looking whether all is well, undoing) is done; why the run failed,
    /// where it did.
    case concluded(ExecutionError?)
    /// What was to be done when no step runs any more stopped without an end.
    case released(RunInterruption)
    /// Lines have waited long enough for a checkpoint to take them along.
    case flushDue
    /// The host shuts down: start nothing new.
    case drain
    /// The host shuts down now: stop what runs.
    case stop
}

/// Why a run stops before it has ended. It is not lost: its rows stay, and the next owner goes on.
enum RunInterruption: Error, Sendable, Hashable {
    /// Another worker owns the execution.
    case fenced
    /// This host has not renewed its lease in time.
    case leaseLost
    /// This host shuts down.
    case stopped
    /// The database refuses even the barest checkpoint; the next owner tries again.
    case refused
}
