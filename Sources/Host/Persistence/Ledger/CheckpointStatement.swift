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
        /// The number of log lines; more than a few are all the same.
        let logs: Int
        let hasEnding: Bool
        let hasEvents: Bool
        let touchesOutside: Bool

        init(_ checkpoint: Checkpoint, _ outside: OutsideChanges) {
            hasStep = checkpoint.step != nil
            settlements = checkpoint.settlements.count
            logs = min(checkpoint.logs.count, CheckpointWriter.fewLines + 1)
            hasEnding = checkpoint.ending != nil
            hasEvents = !checkpoint.events.isEmpty
            touchesOutside = !outside.isEmpty
        }

        var isCommon: Bool { settlements <= 4 && !touchesOutside }
        /// What is by far the most frequent: steps that end, and lines.
        var isBatched: Bool { settlements == 0 && !hasEvents && !touchesOutside }

        var name: String {
            "checkpoint-\(settlements)-\(logs)" + (hasStep ? "-step" : "") + (hasEnding ? "-end" : "")
                + (hasEvents ? "-events" : "")
        }
    }

    private static let known = Mutex<[Shape: Statement]>([:])

    let statement: Statement
    let parameters: [SQLValue]

    init(_ checkpoint: Checkpoint) {
        let outside = OutsideChanges(checkpoint)
        let shape = Shape(checkpoint, outside)
        let known = shape.isCommon ? Self.known.withLock { $0[shape] } : nil
        var writer = CheckpointWriter(known == nil ? .single : nil)
        writer.write(checkpoint, outside)
        parameters = writer.parameters
        if let known {
            statement = known
        } else {
            var batched: String?
            if shape.isBatched {
                var writer = CheckpointWriter(.batched)
                writer.write(checkpoint, outside)
                batched = writer.sql
            }
            let written = Statement(shape.isCommon ? shape.name : nil, writer.sql, batched: batched)
            statement = written
            if shape.isCommon { Self.known.withLock { $0[shape] = written } }
        }
    }
}
