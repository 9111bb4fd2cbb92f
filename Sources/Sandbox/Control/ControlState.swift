import Domain

/// A provider that the sandbox plays.
enum Provider: String, Sendable, CaseIterable {
    case anthropic
    case openai
    case railway
}

/// What tests and operators see and steer: the ledger, and what the next calls shall meet.
struct ControlState: Sendable {
    let ledger: Ledger
    let faults: FaultQueue
    let gates = GateBoard()

    init(wallClock: any WallClock, faults: FaultQueue = FaultQueue(FaultScript())) {
        ledger = Ledger(wallClock: wallClock)
        self.faults = faults
    }

    /// Lets every held call go on: a shutdown waits for them.
    func releaseEverything() {
        faults.clear()
        gates.clear()
    }
}

/// A control request that cannot be carried out, in words for whoever sent it.
struct ControlRefusal: Error, Sendable {
    let isUnknown: Bool
    let message: String

    init(_ message: String, isUnknown: Bool = false) {
        self.message = message
        self.isUnknown = isUnknown
    }
}
