import Domain

/// What one call meets on its way: chosen once, when its prompt is known.
struct CallPlan: Sendable {
    let fault: Fault?
    let gate: Gate?

    /// Where a call waits once so many events are out; 0 is before its first byte.
    ///
    /// - Parameter isStreamed: an answer in one piece has no middle, so it waits before its first byte.
    func holds(after events: Int, isStreamed: Bool) -> [Hold] {
        var holds: [Hold] = []
        if let gate, (isStreamed ? gate.afterEvents : 0) == events { holds.append(gate.hold) }
        if let fault, case .stall(let hold) = fault.kind, (isStreamed ? fault.afterEvents : 0) == events {
            holds.append(hold)
        }
        return holds
    }
}

/// The sandbox ends the connection here, as told.
struct DeliberateCut: Error {}
