import Domain
import Logging
import Testing

@testable import Webhooks

@Suite struct WebhookSignerTests {
    private let signer = WebhookSigner(serverKey: Array("0123456789abcdef0123456789abcdef".utf8))
    private static let time = Timestamp(microseconds: 1_795_421_700_250_000)

    private func delivery() throws -> WebhookDelivery {
        WebhookDelivery(
            event: WebhookEvent(
                id: try #require(UUIDv7("0198c0de-0000-7000-8000-0000000000aa")), type: "execution.completed",
                data: ["execution_id": "x", "n": 1]),
            executionID: try #require(UUIDv7("0198c0de-0000-7000-8000-000000000001")),
            url: "https://hooks.example.com/in?token=t", attempts: 2, time: Self.time)
    }

    /// What Python's hmac and base64 make of the same.
    @Test func isWhatAnotherImplementationMakes() throws {
        let delivery = try delivery()
        #expect(signer.secret(of: delivery.executionID) == "whsec_2ew98JSpkFFeo4eAWmvujTNSeKxKBp1GfwXNFOqXjNo=")
        let sender = WebhookSender(
            outbox: MemoryOutbox(), transport: HeldTransport(), signer: signer,
            clock: FixedClock(time: Timestamp(microseconds: 1_763_885_701_999_999)),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let request = sender.request(for: delivery)
        guard case .bytes(let body) = request.body else {
            Issue.record("\(request.body)")
            return
        }
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"type":"execution.completed","timestamp":"2026-11-23T08:15:00.250Z","#
                + #""data":{"execution_id":"x","n":1}}"#)
        #expect(
            request.headers == [
                .init("content-type", "application/json"),
                .init("webhook-id", "0198c0de-0000-7000-8000-0000000000aa"), .init("webhook-timestamp", "1763885701"),
                .init("webhook-signature", "v1,IxtYnI7+LrjB+uFpNWm7WcZ3pxLvncW9O6BChAf+cOs="),
            ])
        #expect(request.method == "POST" && request.url == delivery.url && request.timeout == .seconds(15))
        #expect(request.egress == EgressPolicy(reach: .anyPublic) && request.secrets.names.isEmpty)
        #expect(!request.fillsSecretsInBody)
    }

    @Test func everyExecutionHasASecretOfItsOwn() throws {
        let executions = (0..<100).map { _ in UUIDv7(at: Self.time) }
        #expect(Set(executions.map(signer.secret)).count == 100)
        let other = WebhookSigner(serverKey: [1])
        #expect(other.secret(of: executions[0]) != signer.secret(of: executions[0]))
    }

    @Test func aDescriptionNamesNoKey() { #expect("\(signer) \(String(reflecting: signer))".contains("0123") == false) }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"), ("\u{3FF}?>", "z78/Pg=="),
    ])
    func base64IsPadded(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    @Test func theScheduleDoublesUpToAnHour() {
        let seconds = (1...12).map { WebhookSchedule.delay(after: $0, jitter: 1)?.components.seconds }
        #expect(seconds == [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, nil])
        #expect(WebhookSchedule.delay(after: 1, jitter: 0) == .milliseconds(2_500))
        #expect(WebhookSchedule.delay(after: .max, jitter: 1) == nil)
    }
}
