import Domain
import Hummingbird
import NIOCore

/// Writes an answer at its pace, with whatever its plan has in store, and closes its entry in the ledger.
struct AnswerWriter: Sendable {
    let answer: any ModelAnswer
    let plan: CallPlan
    let pace: Pace
    let ledger: Ledger
    let sequence: Int
    let channel: any Channel

    /// The event stream.
    func stream(to writer: inout any ResponseBodyWriter) async throws {
        var sent = 0
        do {
            let events = answer.events(pieces: pace.pieces(of: answer.text))
            for (index, event) in events.enumerated() {
                if event.isPiece { try await pace.beforeChunk() }
                // Closed before the last event is out: who has read it may look into the ledger at once.
                if index == events.count - 1 { close(.finished, usage: answer.usage, isWhole: true) }
                try await writer.write(ByteBuffer(bytes: event.bytes))
                sent = event.textBytes
                for hold in plan.holds(after: index + 1, isStreamed: true) {
                    try await hold.wait(as: sequence, on: channel)
                }
                if let ending = try fault(after: index + 1, in: events) {
                    close(.finished, usage: answer.usage(textBytes: sent), isWhole: false)
                    try await writer.write(ByteBuffer(bytes: ending))
                    break
                }
            }
            try await writer.finish(nil)
        } catch {
            close(
                error is DeliberateCut ? .cutBySandbox : .cutByClient, usage: answer.usage(textBytes: sent),
                isWhole: false)
            throw error
        }
    }

    /// The answer in one piece.
    func whole(_ bytes: [UInt8], to writer: inout any ResponseBodyWriter) async throws {
        do {
            if let fault = plan.fault, case .cut = fault.kind {
                try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw DeliberateCut()
            }
            close(.finished, usage: answer.usage, isWhole: true)
            try await writer.write(ByteBuffer(bytes: bytes))
            try await writer.finish(nil)
        } catch {
            close(error is DeliberateCut ? .cutBySandbox : .cutByClient, usage: answer.usage, isWhole: false)
            throw error
        }
    }

    /// The bytes a fault puts in place of the rest of the stream, if it is due now.
    private func fault(after count: Int, in events: [StreamEvent]) throws(DeliberateCut) -> [UInt8]? {
        guard let fault = plan.fault, fault.afterEvents == count else { return nil }
        switch fault.kind {
        case .cut: throw DeliberateCut()
        case .invalidJSON: return events[min(count, events.count - 1)].broken
        case .overloadedInStream: return answer.failure(after: count).bytes
        default: return nil
        }
    }

    private func close(_ ending: Ledger.Ending, usage: JSON, isWhole: Bool) {
        ledger.close(
            sequence, ending, status: 200, usage: usage, stopReason: isWhole ? answer.stopReason : nil)
    }
}
