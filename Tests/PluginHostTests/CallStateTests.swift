import PluginABI
import Testing

@testable import PluginHost

@Suite struct CallStateTests {
    /// A call state whose transitions can stand within an expectation.
    private final class Call {
        var state = CallState()
        func begin() -> Bool { state.begin() }
        func cancel() -> CallState.Effects { state.cancel() }
        func expire() -> CallState.Effects { state.expire() }
        func refuse() -> CallState.Effects { state.refuse() }
        func graceEnded() -> CallState.Effects { state.graceEnded() }
        func complete() -> (Int, CallState.Effects) { state.complete() }
        func emit(_ count: Int) -> Int { state.emit(count) }
        func take(_ count: Int) -> Bool { state.take(count) }
    }

    private final class Joiner {
        var state = TextJoiner()
        func push(_ bytes: [UInt8]) -> String { state.push(bytes) }
        func finish() -> String { state.finish() }
    }

    private func open() -> Call {
        let call = Call()
        #expect(call.begin())
        return call
    }

    @Test func aCompletionAnswersOnceAndCloses() {
        let call = open()
        let (status, effects) = call.complete()
        #expect(status == AIB_OK)
        #expect(effects == .init(answer: .completed, endsServices: true, closes: true))
        let (again, second) = call.complete()
        #expect(again == AIB_E_STALE)
        #expect(second == .init(misbehaviour: .staleCompletion))
    }

    @Test func aCallCancelledInTheQueueNeverReachesThePlugin() {
        let call = Call()
        #expect(call.cancel() == .init(answer: .cancelled, endsServices: true, closes: true))
        #expect(!call.begin())
    }

    @Test func aCancelledCallWaitsForThePluginsWord() {
        let call = open()
        #expect(call.cancel() == .init(tellsPlugin: true, startsGrace: true))
        #expect(call.cancel() == .init())
        #expect(call.state.isServed)
        #expect(call.complete().1.answer == .completed)
        #expect(call.graceEnded() == .init())
    }

    @Test func aPluginThatIgnoresACancelIsLeftBehind() {
        let call = open()
        _ = call.cancel()
        #expect(
            call.graceEnded()
                == .init(answer: .cancelled, endsServices: true, closes: true, misbehaviour: .neverCompleted))
        #expect(call.complete().0 == AIB_E_STALE)
    }

    @Test func theDeadlineAnswersAtOnceAndTheCompletionIsStillDue() {
        let call = open()
        #expect(call.expire() == .init(answer: .timedOut, tellsPlugin: true, startsGrace: true, endsServices: true))
        #expect(!call.state.isServed)
        #expect(call.emit(1) == AIB_E_STALE)
        let (status, effects) = call.complete()
        #expect(status == AIB_E_STALE)
        // It came in time for a plugin that was told to stop, so no rule was broken.
        #expect(effects == .init(endsServices: true, closes: true))
    }

    @Test func theDeadlineOfACancelledCallAnswersCancelled() {
        let call = open()
        _ = call.cancel()
        #expect(call.expire() == .init(answer: .cancelled, endsServices: true))
        #expect(call.graceEnded().misbehaviour == .neverCompleted)
    }

    @Test func aRefusalAfterACompletionIsMisbehaviour() {
        let call = open()
        _ = call.complete()
        #expect(call.refuse() == .init(misbehaviour: .refusalAfterCompletion))
        let other = open()
        #expect(other.refuse().answer == .refused)
    }

    /// Whatever happens in whatever order, the caller is answered once and the id is forgotten once.
    @Test func everyOrderOfEventsAnswersOnce() {
        let events: [(inout CallState) -> CallState.Effects] = [
            { $0.cancel() }, { $0.expire() }, { $0.complete().1 }, { $0.refuse() }, { $0.graceEnded() },
        ]
        for code in 0..<3_125 {
            for beginsAt in 0..<5 {
                var call = CallState()
                var rest = code
                var answers = 0
                var closings = 0
                for step in 0..<5 {
                    if step == beginsAt { _ = call.begin() }
                    let effects = events[rest % 5](&call)
                    rest /= 5
                    answers += effects.answer == nil ? 0 : 1
                    closings += effects.closes ? 1 : 0
                }
                #expect(answers <= 1 && closings <= 1)
                #expect((call.phase == .over) == (closings == 1))
                #expect(answers == 1 || call.phase == .queued || call.phase == .open || call.phase == .cancelling)
            }
        }
    }

    @Test func theWindowFillsAndReopensAtHalf() {
        let call = open()
        for _ in 0..<4 { #expect(call.emit(65_536) == AIB_OK) }
        #expect(call.emit(1) == AIB_E_AGAIN)
        #expect(!call.take(65_536))
        #expect(call.take(65_536))
        #expect(!call.take(65_536))
        #expect(call.emit(65_537) == AIB_E_INVALID)
    }

    @Test func textIsJoinedAtEverySplit() {
        let text = "aé€🙂z"
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let joiner = Joiner()
                let joined =
                    joiner.push(Array(bytes[..<first])) + joiner.push(Array(bytes[first..<second]))
                    + joiner.push(Array(bytes[second...]))
                #expect(joined == text)
                #expect(joiner.finish() == "")
            }
        }
    }

    @Test func aCutOffOrInvalidCharacterBecomesAReplacement() {
        let joiner = Joiner()
        #expect(joiner.push([0x61, 0xF0, 0x9F]) == "a")
        #expect(joiner.finish() == "\u{FFFD}")
        #expect(joiner.push([0xFF, 0x62]) == "\u{FFFD}b")
        #expect(joiner.push([0xE2]) == "")
        #expect(joiner.push([0x62]) == "\u{FFFD}b")
    }
}
