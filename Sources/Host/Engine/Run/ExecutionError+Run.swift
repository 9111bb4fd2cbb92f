import Domain

extension ExecutionError {
    static var moneyOverflow: ExecutionError {
        ExecutionError(
            code: "cost_out_of_range", message: "\(MoneyOverflow())", step: nil, isRetryable: false,
            action: "ask the operator to check the price table")
    }

    static func missing(output: String) -> ExecutionError {
        ExecutionError(
            code: "required_output_missing", message: "no step produced the required output \"\(output)\"", step: nil,
            isRetryable: false, action: "check the template's success_criteria")
    }

    static func hostLost(_ step: String) -> ExecutionError {
        ExecutionError(
            code: "step_lost", message: "the step was cut off \(StepRunner.maximumLostAttempts) times with its host",
            step: step, isRetryable: false, action: "ask the operator to look at the host's log")
    }

    /// A step's failure whose reason was not kept.
    static func stepFailed(_ step: String) -> ExecutionError {
        ExecutionError(
            code: "step_failed", message: "the step \"\(step)\" failed", step: step, isRetryable: true,
            action: "start the run again")
    }

    /// The reason was lost with the host that had it; its log line was durable before.
    static var cutWhileUndoing: ExecutionError {
        ExecutionError(
            code: "run_failed",
            message: "the run failed, and its host was lost while it undid what the run had done; the run's log has "
                + "the reason", step: nil, isRetryable: true, action: "read the run's log, then start the run again")
    }

    /// A stored plan whose dependencies never come true; the compiler makes none.
    static var planStuck: ExecutionError {
        ExecutionError(
            code: "plan_stuck", message: "no step of the stored plan can start", step: nil, isRetryable: false,
            action: "start the run again with the template's current version")
    }
}
