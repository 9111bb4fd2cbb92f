import Domain

/// A provider whose steps do nothing: what is measured is the engine and the database.
struct NothingProvider: Dispatch {
    private static let key = RouteKey.command("nothing", provider: "bench")

    let routes = [key]

    func route(for key: RouteKey) -> Route? {
        guard key == Self.key else { return nil }
        return Route(
            pluginID: "bench", pluginVersion: "1", operation: "bench.nothing", defaultModel: nil, ledgerName: "custom",
            isMetered: false)
    }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON { ["done": true] }

    /// A template of steps that wait for each other: `{"done":true}` each.
    static func chain(steps: Int) -> JSON {
        let steps = (1...steps).map { number -> JSON in
            var step: JSON = [
                "step_id": .integer(Int64(number)), "name": .string("Step \(number)"), "type": "system_call",
                "command": "nothing", "parameters": ["provider": "bench"],
            ]
            if number > 1 { step.set("depends_on", [.integer(Int64(number - 1))]) }
            return step
        }
        return [
            "template": [
                "metadata": [
                    "id": .string("bench-chain-\(steps.count)"), "name": "Chain", "version": "1.0.0",
                    "description": "Steps that wait for each other and do nothing.", "category": "bench",
                    "complexity": "beginner",
                ],
                "execution_steps": .array(steps),
            ]
        ]
    }
}
