import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// A receiver of webhooks as a client would write one, in another language and by the standard's own words.
@Suite(.timeLimit(.minutes(2))) struct WebhookTests {
    @Test func `a webhook hears of each step and of the end, signed`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("webhook")
        let receiver = try Receiver(folder: folder)
        let host = try HostProcess(
            ["--sandbox"], dataDirectory: folder + "/data", environment: ["WEBHOOKS_PRIVATE_ADDRESSES": "allow"],
            transport: transport)
        let client = try await host.client.registered()
        let admitted = try await client.post(
            "/v1/templates/market-brief/execute",
            [
                "configuration": ["product_name": "Tidewatch", "audience": "harbour masters"],
                "webhook_url": .string(receiver.url),
            ])
        #expect(admitted.status == 202, "\(admitted.body.text)")
        let secret = try #require(admitted.body["webhook_secret"]?.stringValue)
        let id = try #require(admitted.body["execution_id"]?.stringValue)

        let events = try receiver.events(signedWith: secret)
        #expect(
            events.map { $0["type"]?.stringValue } == [
                "execution.started", "execution.step_finished", "execution.step_finished", "execution.step_finished",
                "execution.completed",
            ])
        #expect(events.allSatisfy { $0["is_genuine"] == true })
        #expect(events.allSatisfy { $0["data"]?["execution_id"]?.stringValue == id })
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    @Test func `an address that is not public hears nothing unless the operator allows it`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("webhook-private")
        let receiver = try Receiver(folder: folder)
        let host = try HostProcess(["--sandbox"], dataDirectory: folder + "/data", transport: transport)
        let client = try await host.client.registered()
        let admitted = try await client.post(
            "/v1/templates/market-brief/execute",
            [
                "configuration": ["product_name": "Tidewatch", "audience": "harbour masters"],
                "webhook_url": .string(receiver.url),
            ])
        // Refused at once, or never delivered: nothing arrives either way, and the run is none the worse.
        if let id = admitted.body["execution_id"]?.stringValue {
            #expect(try await client.ended(id)["status"] == "completed")
        }
        #expect(receiver.hasHeardNothing)
        receiver.stop()
        #expect(host.stop() == 0)
        await transport.shutdown()
    }
}

/// A small receiver in Python: takes events until the one that ends an execution, and checks their signatures.
private final class Receiver {
    let url: String
    private let process = Process()
    private let pipe = Pipe()
    private let file: String

    init(folder: String) throws {
        file = folder + "/events"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.server, file]
        process.standardOutput = pipe
        // One that outlives a failed test must not hold the runner's own output open.
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "no port: \(line)")
        url = "http://127.0.0.1:\(port)/hook"
    }

    deinit { stop() }

    /// By force: whatever it inherited, it ends.
    func stop() { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }

    var hasHeardNothing: Bool { !FileManager.default.fileExists(atPath: file) }

    /// Waits for the end of the execution.
    func events(signedWith secret: String) throws -> [JSON] {
        process.waitUntilExit()
        let check = Process()
        check.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        check.arguments = ["-c", Self.check, file]
        check.environment = ["SECRET": secret]
        let output = Pipe()
        check.standardOutput = output
        try check.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        check.waitUntilExit()
        return try JSON.parse(Array(bytes)).arrayValue ?? []
    }

    private static let server = """
        import http.server, json, sys, threading
        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                names = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")
                with open(sys.argv[1], "a") as file:
                    file.write(json.dumps({"headers": {n: self.headers[n] for n in names}, "body": body}) + "\\n")
                self.send_response(204)
                self.end_headers()
                if json.loads(body)["type"] in ("execution.completed", "execution.failed"):
                    threading.Thread(target=server.shutdown).start()
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    private static let check = """
        import base64, hashlib, hmac, json, os, sys
        key = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
        events = []
        for line in open(sys.argv[1]):
            event = json.loads(line)
            headers, body = event["headers"], event["body"]
            signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}'.encode()
            want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            events.append({**json.loads(body), "is_genuine": hmac.compare_digest(want, headers["webhook-signature"])})
        print(json.dumps(events))
        """
}
