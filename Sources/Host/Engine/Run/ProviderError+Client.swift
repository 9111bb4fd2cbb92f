import Domain

extension ProviderError {
    /// The failure in words for the API client: a plugin's or provider's own text may quote what it should not.
    func clientError(step: PlannedStep, attempts: Int) -> ExecutionError {
        if case .system(let action) = step.action, code == .invalid || code == .upstream,
            let command = SystemCommand(rawValue: action.command)
        {
            return clientError(of: command, step: step, attempts: attempts)
        }
        let provider = step.routeKey.providerName
        let tries = attempts == 1 ? "" : " after \(attempts) attempts"
        let (code, message, action): (String, String, String) =
            switch (self.code, status) {
            case (.denied, 402?):
                (
                    "provider_out_of_credit", "the provider \"\(provider)\" asks for payment",
                    "ask the operator to top up the provider's account, then start the run again"
                )
            case (.denied, _):
                (
                    "provider_denied", "the provider \"\(provider)\" refused this host's credentials",
                    "ask the operator to check the provider's key and permissions, then start the run again"
                )
            case (.limit, 429?):
                (
                    "provider_rate_limited", "the provider \"\(provider)\" limits the rate of calls\(tries)",
                    "start the run again later"
                )
            case (.limit, _):
                (
                    "limit_exceeded", "a limit was reached in a call of \"\(provider)\"\(tries)",
                    "ask for less in one step, or raise max_output_tokens in the template"
                )
            case (.upstream, 529?):
                (
                    "provider_overloaded", "the provider \"\(provider)\" is overloaded\(tries)",
                    "start the run again later"
                )
            case (.upstream, _):
                (
                    "provider_failed", "the provider \"\(provider)\" did not give a usable answer\(tries)",
                    "start the run again; if it persists, ask the operator"
                )
            case (.timeout, _):
                (
                    "step_timeout", "the step took longer than its \(step.timeout.inMinutes) minutes\(tries)",
                    "raise the step's timeout_minutes, or ask for less in one step"
                )
            case (.invalid, _):
                (
                    "provider_rejected", "the provider \"\(provider)\" rejected the request as invalid",
                    "check the step's model, prompt and parameters"
                )
            case (.cancelled, _): ("cancelled", "the step was cancelled", "start the run again")
            case (.internal, _):
                (
                    "plugin_fault", "the plugin behind \"\(provider)\" failed",
                    "ask the operator to look at the plugin's log"
                )
            }
        return ExecutionError(
            code: code, message: message, step: step.name, isRetryable: isRetryable, action: action)
    }
}

extension ProviderError {
    /// What a provider of deployments refused or could not do, in the words of what was asked of it.
    private func clientError(of command: SystemCommand, step: PlannedStep, attempts: Int) -> ExecutionError {
        let provider = step.routeKey.providerName
        let tries = attempts == 1 ? "" : " after \(attempts) attempts"
        let isRefusal = code == .invalid
        let (subject, noun, failure, advice): (String, String, String, String) =
            switch command {
            case .setupDatabase: ("database", "the database", "make the database", "check the step's parameters")
            case .createDeploymentConfig:
                (
                    "config", "the deployment's configuration", "make the deployment's configuration",
                    "check the step's parameters"
                )
            case .deployApplication:
                (
                    "deployment", "the deployment", "deploy the application",
                    "read the deployment's logs and check what the steps generate"
                )
            case .setupDomain:
                (
                    "domain", "the domain", "add the domain",
                    "check that the domain is spelled right, is yours, and is not in use by another application"
                )
            case .setupMonitoring:
                ("monitoring", "the monitoring", "start the monitoring", "check the step's parameters")
            }
        let what = isRefusal ? "refused \(noun)" : "could not \(failure)"
        return ExecutionError(
            code: "\(subject)_\(isRefusal ? "refused" : "failed")",
            message: "the provider \"\(provider)\" \(what)\(tries)", step: step.name, isRetryable: isRetryable,
            action: isRefusal ? "\(advice), then start the run again" : "start the run again; if it persists, \(advice)"
        )
    }
}

extension RouteKey {
    var providerName: String {
        switch self {
        case .aiProvider(let name): name
        case .command(_, let provider): provider
        }
    }
}

extension Duration {
    /// Minutes with up to two decimals: `5`, `0.25`.
    var inMinutes: String {
        let hundredths = milliseconds / 600
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
