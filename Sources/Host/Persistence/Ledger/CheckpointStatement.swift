import Domain
import Synchronization

/// A checkpoint as one statement: the execution's row first, then everything that hangs on it.
///
/// The text depends only on which parts a checkpoint has. It is written once a shape; after that only the
/// parameters are collected, in the same order. The parts that only steps with effects have are rare: their shapes
/// are written each time, and sent unnamed, so that connections hold few plans.
struct CheckpointStatement {
    private struct Shape: Hashable {
        let hasStep: Bool
        let settlements: Int
        let logs: Lines
        let hasEnding: Bool
        let hasEvents: Bool
        let touchesOutside: Bool

        enum Lines { case none, one, many }

        var isCommon: Bool { settlements <= 4 && !touchesOutside }

        var name: String {
            "checkpoint-\(settlements)" + (hasStep ? "-step" : "") + (logs == .none ? "" : "-\(logs)")
                + (hasEnding ? "-end" : "") + (hasEvents ? "-events" : "")
        }
    }

    private static let known = Mutex<[Shape: Statement]>([:])

    let statement: Statement
    let parameters: [SQLValue]

    init(_ checkpoint: Checkpoint) {
        let outside = OutsideChanges(checkpoint)
        let shape = Shape(
            hasStep: checkpoint.step != nil, settlements: checkpoint.settlements.count,
            logs: checkpoint.logs.isEmpty ? .none : checkpoint.logs.count == 1 ? .one : .many,
            hasEnding: checkpoint.ending != nil, hasEvents: !checkpoint.events.isEmpty,
            touchesOutside: !outside.isEmpty)
        let known = shape.isCommon ? Self.known.withLock { $0[shape] } : nil
        var writer = CheckpointWriter(writesText: known == nil)
        writer.write(checkpoint, outside)
        parameters = writer.parameters
        if let known {
            statement = known
        } else {
            let written = Statement(shape.isCommon ? shape.name : nil, writer.sql)
            statement = written
            if shape.isCommon { Self.known.withLock { $0[shape] = written } }
        }
    }
}
