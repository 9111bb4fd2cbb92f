/// A deployment's status in Railway's words. One that this plugin does not know is taken for under way: the call's
/// deadline bounds the waiting.
struct DeploymentStatus: Sendable, Hashable {
    let name: String

    init(_ name: String) { self.name = name }

    /// Up. An application that Railway put to sleep wakes with the next request.
    var isRunning: Bool { ["SUCCESS", "SLEEPING"].contains(name) }
    /// It will not come up any more.
    var hasFailed: Bool { ["FAILED", "CRASHED", "REMOVED", "SKIPPED"].contains(name) }
    /// Nothing goes on until somebody approves it on Railway.
    var needsApproval: Bool { name == "NEEDS_APPROVAL" }
    /// Whether it is up, or may come up without another deployment.
    var isAlive: Bool { !hasFailed && name != "REMOVING" }
    /// Whether its instances may have written something.
    var hasStarted: Bool { ["DEPLOYING", "CRASHED", "REMOVING", "REMOVED", "FAILED"].contains(name) || isRunning }
}
