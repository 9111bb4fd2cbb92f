/// A stored plan that this host cannot read.
public struct PlanUnreadable: Error, Sendable, CustomStringConvertible {
    public let reason: String
    public var description: String { "the stored plan cannot be read: \(reason)" }
}

extension ExecutionPlan {
    /// The form in which a plan is stored with its execution.
    public var json: JSON {
        [
            "format": .integer(Self.formatVersion), "template": .string(templateSlug),
            "version": .string(templateVersion), "deployment_config": deploymentConfig,
            "required_outputs": .array(requiredOutputs.map { .string($0) }),
            "health_checks": .array(healthChecks.map(\.json)),
            "cleanup": .array(cleanup.map { .string($0.rawValue) }),
            "steps": .array(steps.map(\.json)),
        ]
    }

    public init(_ json: JSON) throws(PlanUnreadable) {
        let format = try json.member("format", \.integerValue)
        guard format == Self.formatVersion else {
            throw PlanUnreadable(reason: "its format is \(format), this host reads \(Self.formatVersion)")
        }
        var steps: [PlannedStep] = []
        for step in try json.member("steps", \.arrayValue) { steps.append(try PlannedStep(step)) }
        for (index, step) in steps.enumerated()
        where !step.dependencies.allSatisfy({ steps.indices.contains($0) && $0 != index }) {
            throw PlanUnreadable(reason: "step \(step.id) depends on a step that is not there")
        }
        // Absent from plans of hosts that had neither.
        var healthChecks: [HealthCheck] = []
        for check in json["health_checks"]?.arrayValue ?? [] { healthChecks.append(try HealthCheck(check)) }
        self.init(
            templateSlug: try json.member("template", \.stringValue),
            templateVersion: try json.member("version", \.stringValue),
            deploymentConfig: json["deployment_config"] ?? .null, steps: steps,
            requiredOutputs: try json.member("required_outputs", \.arrayValue).compactMap(\.stringValue),
            healthChecks: healthChecks,
            cleanup: (json["cleanup"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap(Cleanup.init) })
    }
}

extension ExecutionPlan.HealthCheck {
    fileprivate var json: JSON {
        switch self {
        case .http(let url, let status): ["url": .string(url), "status": .integer(Int64(status))]
        case .database(let connectionString): ["connection_string": .string(connectionString)]
        }
    }

    fileprivate init(_ json: JSON) throws(PlanUnreadable) {
        if let connectionString = json["connection_string"]?.stringValue {
            self = .database(connectionString: connectionString)
        } else {
            self = .http(
                url: try json.member("url", \.stringValue),
                expectedStatus: Int(try json.member("status", \.integerValue)))
        }
    }
}

extension PlannedStep {
    fileprivate var json: JSON {
        var object: JSON = [
            "id": .string(id), "name": .string(name), "slug": .string(slug),
            "depends_on": .array(dependencies.map { .integer(Int64($0)) }),
            "outputs": .array(outputNames.map { .string($0) }), "optional": .bool(isOptional),
            "timeout_ms": .integer(timeout.milliseconds), "attempts": .integer(Int64(maximumAttempts)),
        ]
        switch action {
        case .ai(let action):
            object.set(
                "ai",
                [
                    "provider": .string(action.provider), "model": action.model.map { .string($0) } ?? .null,
                    "system": action.system.map { .string($0) } ?? .null, "prompt": .string(action.promptTemplate),
                    "max_output_tokens": .integer(action.maximumOutputTokens), "answer_schema": action.answerSchema,
                ])
        case .system(let action):
            object.set(
                "system",
                [
                    "command": .string(action.command), "provider": .string(action.provider),
                    "parameters": action.parameters,
                ])
        }
        return object
    }

    fileprivate init(_ json: JSON) throws(PlanUnreadable) {
        let action: Action
        if let ai = json["ai"] {
            action = .ai(
                AIAction(
                    provider: try ai.member("provider", \.stringValue), model: ai["model"]?.stringValue,
                    system: ai["system"]?.stringValue, promptTemplate: try ai.member("prompt", \.stringValue),
                    maximumOutputTokens: try ai.member("max_output_tokens", \.integerValue),
                    answerSchema: ai["answer_schema"] ?? .null))
        } else if let system = json["system"] {
            action = .system(
                SystemAction(
                    command: try system.member("command", \.stringValue),
                    provider: try system.member("provider", \.stringValue), parameters: system["parameters"] ?? .null))
        } else {
            throw PlanUnreadable(reason: "a step has neither \"ai\" nor \"system\"")
        }
        self.init(
            id: try json.member("id", \.stringValue), name: try json.member("name", \.stringValue),
            slug: try json.member("slug", \.stringValue), action: action,
            dependencies: try json.member("depends_on", \.arrayValue).compactMap(\.integerValue).map { Int($0) },
            outputNames: try json.member("outputs", \.arrayValue).compactMap(\.stringValue),
            isOptional: json["optional"]?.boolValue ?? false,
            timeout: .milliseconds(try json.member("timeout_ms", \.integerValue)),
            maximumAttempts: Int(try json.member("attempts", \.integerValue)))
    }
}

extension JSON {
    /// Sets a member of an object; does nothing to any other value.
    public mutating func set(_ key: String, _ value: JSON?) {
        guard case .object(var object) = self else { return }
        object[key] = value
        self = .object(object)
    }

    fileprivate func member<Value>(_ key: String, _ read: (JSON) -> Value?) throws(PlanUnreadable) -> Value {
        guard let value = self[key].flatMap(read) else {
            throw PlanUnreadable(reason: "\"\(key)\" is missing or of the wrong type")
        }
        return value
    }
}
