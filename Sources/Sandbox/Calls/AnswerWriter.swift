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
        var sent = (events: 0, textBytes: 0)
        do {
            let events = answer.events(pieces: pace.pieces(of: answer.text))
            for (index, event) in events.enumerated() {
                if let ending = try fault(after: index, in: events) {
                    close(.finished, usage: answer.usage(textBytes: sent.textBytes), events: sent.events)
                    try await writer.write(ByteBuffer(bytes: ending.bytes))
                    if ending.isCut { throw DeliberateCut() }
                    break
                }
                if event.isPiece { try await pace.beforeChunk() }
                // Closed before the last event is out: who has read it may look into the ledger at once.
                if index == events.count - 1 {
                    close(.finished, usage: answer.usage, events: events.count, isWhole: true)
                    try await plan.holdWhenDone?.wait(as: sequence, on: channel)
                }
                try await writer.write(ByteBuffer(bytes: event.bytes))
                sent = (index + 1, event.textBytes)
                for hold in plan.holds(after: index + 1, isStreamed: true) {
                    try await hold.wait(as: sequence, on: channel)
                }
            }
            try await writer.finish(nil)
        } catch {
            close(
                error is DeliberateCut ? .cutBySandbox : .cutByClient,
                usage: answer.usage(textBytes: sent.textBytes), events: sent.events)
            throw error
        }
    }

    /// The answer in one piece.
    func whole(_ bytes: [UInt8], to writer: inout any ResponseBodyWriter) async throws {
        do {
            switch plan.fault?.kind {
            case .cut:
                try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw DeliberateCut()
            case .cutInCharacter:
                try await writer.write(ByteBuffer(bytes: bytes.cutInCharacter))
                throw DeliberateCut()
            default: break
            }
            close(.finished, usage: answer.usage, isWhole: true)
            try await plan.holdWhenDone?.wait(as: sequence, on: channel)
            try await writer.write(ByteBuffer(bytes: bytes))
            try await writer.finish(nil)
        } catch {
            close(error is DeliberateCut ? .cutBySandbox : .cutByClient, usage: answer.usage)
            throw error
        }
    }

    /// What a fault puts in place of the rest of the stream, if it is due now. One that was to happen later than there
    /// are events happens before the last.
    private func fault(after count: Int, in events: [StreamEvent]) throws(DeliberateCut) -> StreamFault? {
        guard let fault = plan.fault, min(fault.afterEvents, events.count - 1) == count else { return nil }
        switch fault.kind {
        case .cut: throw DeliberateCut()
        case .cutInCharacter: return StreamFault(bytes: events[count].bytes.cutInCharacter, isCut: true)
        case .endEarly: return StreamFault(bytes: [], isCut: false)
        case .invalidJSON: return StreamFault(bytes: events[count].broken, isCut: false)
        case .overloadedInStream: return StreamFault(bytes: answer.failure(after: count).bytes, isCut: false)
        default: return nil
        }
    }

    private struct StreamFault {
        let bytes: [UInt8]
        let isCut: Bool
    }

    private func close(_ ending: Ledger.Ending, usage: JSON, events: Int? = nil, isWhole: Bool = false) {
        ledger.close(
            sequence, ending, status: 200, usage: usage, stopReason: isWhole ? answer.stopReason : nil,
            events: events)
    }
}

extension [UInt8] {
    /// Up to the middle of the first character of more than one byte. Where there is none, the first half, and the
    /// beginning of one.
    var cutInCharacter: [UInt8] {
        if let lead = firstIndex(where: { $0 >= 0xC2 }) { return Array(self[...lead]) }
        return Array(prefix(count / 2)) + Array("世".utf8.prefix(2))
    }
}
