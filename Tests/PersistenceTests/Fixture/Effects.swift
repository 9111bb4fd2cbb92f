import Domain

@testable import Persistence

extension Effect {
    static func make(
        _ execution: UUIDv7, step: String = "1", command: String = "deploy_application", request: JSON = ["a": 1]
    ) -> Effect {
        Effect(
            key: "\(execution)/\(step)", stepID: step, command: command, provider: "railway", pluginID: "railway",
            request: request, state: .intended)
    }
}

extension DeploymentRecord {
    static func make(step: String = "1", logs: String = "building\n") -> DeploymentRecord {
        DeploymentRecord(id: TestDatabase.id(), stepID: step, provider: "railway", buildLogs: logs)
    }
}

extension WebhookEvent {
    static func make(_ type: String = "execution.step_finished", _ data: JSON = ["n": 1]) -> WebhookEvent {
        WebhookEvent(id: TestDatabase.id(), type: type, data: data)
    }
}

extension ExecutionEnding {
    static var success: ExecutionEnding {
        ExecutionEnding(
            state: .completed, result: ["app_url": "https://a.example", "final_url": "https://a.example"], error: nil,
            deployedURL: "https://a.example")
    }

    static var failure: ExecutionEnding { ExecutionEnding(state: .failed, result: .null, error: nil) }
}
