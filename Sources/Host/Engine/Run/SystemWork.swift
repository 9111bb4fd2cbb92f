import Domain

/// One system step's work, the same over its attempts.
struct SystemWork: Sendable {
    let route: Route
    let command: SystemCommand?
    let parameters: JSON
    let request: JSON
    /// nil where it has no effect on the outside world.
    let effect: Effect?
}
