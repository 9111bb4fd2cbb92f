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
        switch gate?.place {
        case .after(let place): if (isStreamed ? place : 0) == events, let gate { holds.append(gate.hold) }
        case .done, nil: break
        }
        if let fault, case .stall(let hold) = fault.kind, (isStreamed ? fault.afterEvents : 0) == events {
            holds.append(hold)
        }
        return holds
    }

    /// Where a call waits that is carried out, before its client can know it.
    var holdWhenDone: Hold? { gate.flatMap { $0.place == .done ? $0.hold : nil } }
}

/// The sandbox ends the connection here, as told.
struct DeliberateCut: Error {}
