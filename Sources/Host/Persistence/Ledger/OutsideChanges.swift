import Domain

/// What a checkpoint tells of the outside world, as far as it changes anything: one change a row.
struct OutsideChanges {
    let effects: [Effect]
    let deployments: [DeploymentRecord]
    /// Steps whose deployments, written before if there are any, were taken down.
    let removedDeployments: [String]
    /// A custom domain that waits for its DNS records, and the step that set it up.
    let pendingDomain: (step: String, domain: String)?

    init(_ checkpoint: Checkpoint) {
        // What is only intended was recorded by `intend`.
        effects = checkpoint.effects.filter { $0.state != .intended }.lastOfEach(\.key)
        let removed = Set(effects.filter { $0.state == .undone }.map(\.stepID))
        deployments = checkpoint.deployments.lastOfEach(\.stepID).map { deployment in
            var deployment = deployment
            if removed.contains(deployment.stepID) { deployment.status = .removed }
            return deployment
        }
        removedDeployments = removed.subtracting(deployments.map(\.stepID)).sorted()
        if let step = checkpoint.step, step.output["status"] == "pending_dns",
            let domain = step.output["domain"]?.stringValue
        {
            pendingDomain = (step.stepID, domain)
        } else {
            pendingDomain = nil
        }
    }

    var isEmpty: Bool { effects.isEmpty && deployments.isEmpty && pendingDomain == nil }
}

extension Array {
    /// The last element of each key: one statement must not change a row twice.
    fileprivate func lastOfEach(_ key: (Element) -> String) -> [Element] {
        guard count > 1 else { return self }
        var seen: Set<String> = []
        return reversed().filter { seen.insert(key($0)).inserted }.reversed()
    }
}
