import Domain
import Testing

@testable import Webhooks

@Suite(.timeLimit(.minutes(1))) struct WebhookPostTests {
    private func post(
        _ answer: @escaping @Sendable (HeldTransfer) -> Void
    ) async -> (Result<Int, ProviderError>, HeldTransfer) {
        let transport = HeldTransport()
        let request = OutboundRequest(
            method: "POST", url: "https://hooks.example.com/", timeout: .seconds(1), egress: EgressPolicy())
        async let result = WebhookPost().send(request, over: transport)
        let transfer = await transport.transfer(0)
        answer(transfer)
        return (await result, transfer)
    }

    private func head(_ status: Int) -> HTTPEvent { .head(status: status, headers: [], version: "2") }

    @Test func aBodyIsReadAndThrownAway() async throws {
        let head = head(200)
        let (result, transfer) = await post { $0.send(head, .data([1]), .data([2]), .end) }
        #expect(try result.get() == 200 && !transfer.isCancelled)
    }

    @Test func aBodyWithoutEndIsCutOff() async throws {
        let head = head(202)
        let (result, transfer) = await post { transfer in
            transfer.send(head)
            for _ in 0..<5 { transfer.send(.data([UInt8](repeating: 0, count: 16_384))) }
        }
        #expect(try result.get() == 202 && transfer.isCancelled)
    }

    @Test func anAnswerCountsHoweverItsBodyEnds() async throws {
        let head = head(503)
        let (result, _) = await post { $0.send(head, .failed(ProviderError(.timeout, "slow"))) }
        #expect(try result.get() == 503)
    }

    @Test func aFailureWithoutAnswerIsOne() async throws {
        let (result, _) = await post { $0.send(.failed(ProviderError(.denied, "no"))) }
        #expect(throws: ProviderError(.denied, "no")) { try result.get() }
        let (empty, _) = await post { $0.send(.end) }
        #expect(throws: ProviderError.self) { try empty.get() }
    }

    @Test func cancellingTheTaskEndsTheTransfer() async throws {
        let transport = HeldTransport()
        let request = OutboundRequest(
            method: "POST", url: "https://hooks.example.com/", timeout: .seconds(1), egress: EgressPolicy())
        let task = Task { await WebhookPost().send(request, over: transport) }
        let transfer = await transport.transfer(0)
        task.cancel()
        let error = await #expect(throws: ProviderError.self) { try await task.value.get() }
        #expect(error?.code == .cancelled)
        while !transfer.isCancelled { await Task.yield() }
        // One that was cancelled before it began ends as well.
        let late = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await WebhookPost().send(request, over: transport)
        }
        await #expect(throws: ProviderError.self) { try await late.value.get() }
    }
}
