import Domain
import Logging
import Outbound
import Sandbox

/// The walk that `aibackend demo` takes through the API, told step by step.
struct DemoRun: Sendable {
    static let template = "saas-starter"
    static let configuration: JSON = [
        "app_name": "Tidewatch",
        "features": ["user_authentication", "subscription_billing", "admin_dashboard", "analytics_tracking"],
    ]

    private let system: System
    private let transport: HTTPClient

    init(_ system: System) {
        self.system = system
        transport = HTTPClient(logger: Console.logger("error"))
    }

    func run(keepsServing: Bool) async throws {
        do {
            try await walk(keepsServing: keepsServing)
            await transport.shutdown()
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private func walk(keepsServing: Bool) async throws {
        say("\n1. Plan: aibackend template plan templates/\(Self.template).yaml --set app_name=Tidewatch …")
        say(try await system.plan(Self.template, Self.configuration).indented)

        var client = APIClient(transport: transport, base: system.apiURL)
        say("\n2. Register: POST /v1/auth/register")
        let account = try await client.post(
            "/v1/auth/register", ["email": "demo@example.com", "password": "a-demo-password"])
        guard account.status == 201, let key = account.body["api_key"]?.stringValue else { throw refused(account) }
        client.key = key
        say("   201, user \(account.body["user_id"]?.stringValue ?? "?")")

        let path = "/v1/templates/\(Self.template)/execute"
        say("\n3. Execute: POST \(path)\n   configuration \(Self.configuration.text)")
        let admitted = try await client.post(path, ["configuration": Self.configuration])
        guard admitted.status == 202, let id = admitted.body["execution_id"]?.stringValue else {
            throw refused(admitted)
        }
        say("   202, execution \(id), estimated for \(admitted.body["estimated_completion"]?.stringValue ?? "?")")

        say("\n4. Watch: GET /v1/executions/\(id)/logs?stream=true")
        let execution = try await watch(id, client)
        guard execution["status"]?.stringValue == "completed" else {
            throw StartFailure(
                "the run ended as \(execution["status"]?.text ?? "?"): \(execution["error"]?.text ?? "")")
        }
        say("\n5. Result: GET /v1/executions/\(id)")
        try await show(execution, key: key)
        showPrice(execution)
        guard keepsServing else {
            return say("\nTo open the application yourself: aibackend demo --keep")
        }
        say("\nServing on until Ctrl-C. To look further:")
        say("   curl -s -H 'X-API-Key: \(key)' \(system.apiURL)/v1/executions/\(id)")
        say("   curl -s -H 'X-API-Key: \(key)' \(system.apiURL)/v1/executions/\(id)/resources")
        if let sandbox = system.sandbox { say("   curl -s \(sandbox.ledgerURL)") }
        say("   curl -s \(system.apiURL)/metrics")
    }

    private func say(_ text: String) { Console.line(text) }

    private func refused(_ answer: APIClient.Answer) -> StartFailure {
        StartFailure("the API answered \(answer.status): \(answer.body.text)")
    }

    /// Prints log lines as they come until the execution has ended; answers its final state.
    private func watch(_ id: String, _ client: APIClient) async throws -> JSON {
        for try await event in EventStream(client: client, path: "/v1/executions/\(id)/logs?stream=true") {
            if event.name == "end" { break }
            guard event.name == "log", let line = try? JSON.parse(Array(event.data.utf8)), line["level"] != "debug"
            else {
                continue
            }
            let time = line["timestamp"]?.stringValue.map { String($0.dropFirst(11).prefix(12)) } ?? ""
            let step = line["step"]?.stringValue.map { "\($0): " } ?? ""
            say("   \(time)  \(step)\(line["message"]?.stringValue ?? "")")
        }
        return try await client.get("/v1/executions/\(id)").body
    }

    private func show(_ execution: JSON, key: String) async throws {
        guard let result = execution["result"], let url = result["app_url"]?.stringValue else {
            throw StartFailure("the result has no app_url: \(execution["result"]?.text ?? "")")
        }
        say("   application   \(url)")
        let application = APIClient(transport: transport, base: url)
        let page = try await application.send("GET", "/")
        let title = String(decoding: page.bytes, as: UTF8.self).firstMatch(of: /<title>([^<]*)</)?.output.1 ?? "?"
        say("   GET /         \(page.status), \(page.bytes.count) bytes, \"\(title)\"")
        let health = try await application.send("GET", "/health")
        let words = String(decoding: health.bytes.prefix(200), as: UTF8.self).split(separator: "\n").first ?? ""
        say("   GET /health   \(health.status), \(words)")
        try await showSignIn(url, result["admin_credentials"] ?? .null)
        try await showClone(result["github_repository"]?.stringValue ?? "", key: key)
        guard page.status == 200, health.status == 200 else { throw StartFailure("the application does not answer") }
    }

    private func showSignIn(_ url: String, _ credentials: JSON) async throws {
        guard let email = credentials["email"]?.stringValue, let password = credentials["password"]?.stringValue else {
            throw StartFailure("the result has no admin_credentials")
        }
        let signIn = SignIn(transport: transport, url: url)
        let isIn = try await signIn.attempt(email: email, password: password)
        let isStrangerIn = try await signIn.attempt(email: email, password: "not-" + password)
        guard isIn, !isStrangerIn else { throw StartFailure("signing in to \(url) went wrong") }
        say("   sign-in       \(email) with the generated password: in; with another: refused")
    }

    private func showClone(_ url: String, key: String) async throws {
        let files = try await Clone.files(of: url, key: key)
        let some = files.prefix(5).joined(separator: ", ")
        say("   git clone     \(url)\n                 \(files.count) files: \(some), …")
    }

    private func showPrice(_ execution: JSON) {
        say("\n6. Price, to the last digit")
        for line in execution["cost_breakdown"]?["steps"]?.arrayValue ?? [] {
            let step = (line["step"]?.stringValue ?? "?").padding(to: 30)
            let model = (line["model"]?.stringValue ?? "").padding(to: 20)
            say("   \(step) \(model) \(line["calls"]?.text ?? "?") call  \(line["cost"]?.stringValue ?? "?") USD")
        }
        let total = execution["total_cost"]?.stringValue ?? "?"
        say("   \("total".padding(to: 30)) \("".padding(to: 20))         \(total) USD")
    }
}

extension String {
    fileprivate var indented: String { split(separator: "\n").map { "   \($0)" }.joined(separator: "\n") }
}
