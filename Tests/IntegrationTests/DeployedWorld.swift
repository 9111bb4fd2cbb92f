import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// What a run has brought into the world, looked at from outside: the application's pages, its repository, and the
/// sandbox's own state.
struct DeployedWorld {
    private let sandbox: APIClient
    private let transport: HTTPClient

    init(_ host: HostProcess, transport: HTTPClient) throws {
        sandbox = APIClient(transport: transport, base: try #require(host.sandbox))
        self.transport = transport
    }

    /// One request to an application, without following redirects.
    func get(_ url: String) async throws -> (status: Int, text: String) {
        let (base, path) = try Self.split(url)
        let answer = try await APIClient(transport: transport, base: base).send("GET", path)
        return (answer.status, String(decoding: answer.bytes, as: UTF8.self))
    }

    private static func split(_ url: String) throws -> (base: String, path: String) {
        let rest = try #require(url.range(of: "://")).upperBound
        guard let slash = url[rest...].firstIndex(of: "/") else { return (url, "/") }
        return (String(url[..<slash]), String(url[slash...]))
    }

    func checkSignIn(_ url: String, _ credentials: JSON) async throws {
        let email = try #require(credentials["email"]?.stringValue)
        let password = try #require(credentials["password"]?.stringValue)
        #expect(try await SignIn(transport: transport, url: url).attempt(email: email, password: password))
        #expect(try await !SignIn(transport: transport, url: url).attempt(email: email, password: "wrong"))
    }

    func checkClone(_ url: String, _ host: HostProcess, key: String) async throws {
        let paths = try await clone(url, host, key: key)
        #expect(paths.contains("main.py") && paths.contains("README.md"), "\(paths)")
    }

    /// Clones a repository with the API key; the paths of its files.
    func clone(_ url: String, _ host: HostProcess, key: String) async throws -> Set<String> {
        Set(try await Clone.files(of: url.hasPrefix("/") ? host.client.base + url : url, key: key))
    }

    /// Everything the models were asked.
    func prompts() async throws -> [String] {
        try await sandbox.get("/ledger").body["calls"]?.arrayValue?.compactMap { $0["prompt"]?.text } ?? []
    }

    func arm(_ fault: JSON) async throws {
        let answer = try await sandbox.post("/faults", fault)
        #expect(answer.status == 201, "\(answer.body.text)")
    }

    func disarm() async throws { _ = try await sandbox.delete("/faults") }

    func verify(domain: String) async throws {
        let answer = try await sandbox.send("POST", "/railway/domains/\(domain)/verify", body: [])
        #expect(answer.status == 204)
    }

    /// What exists at the deployment target.
    func state() async throws -> JSON { try await sandbox.get("/railway/state").body }

    func checkNothingIsLeft(_ what: String) async throws {
        let state = try await state()
        for kind in [
            "projects", "environments", "services", "databases", "variables", "domains", "custom_domains",
            "tcp_proxies", "volumes",
        ] {
            #expect(state[kind]?.arrayValue?.isEmpty == true, "\(what): \(kind) \(state[kind]?.text ?? "missing")")
        }
    }

    /// The run's cost is the exact sum of its calls' costs.
    func checkPrice(of execution: JSON) async throws {
        let lines = try #require(execution["cost_breakdown"]?["steps"]?.arrayValue)
        #expect(Set(lines.compactMap { $0["provider"]?.stringValue }) == ["claude", "openai"])
        let sum = try lines.reduce(Money.zero) { sum, line in
            try sum.adding(try #require(Money(decimal: line["cost"]?.stringValue ?? "")))
        }
        #expect(sum > .zero && execution["total_cost"]?.stringValue == sum.description)
    }
}

extension APIClient {
    /// Executes a template and waits for its end.
    func run(_ template: String, _ configuration: JSON) async throws -> JSON {
        let admitted = try await post("/v1/templates/\(template)/execute", ["configuration": configuration])
        #expect(admitted.status == 202, "\(admitted.body.text)")
        return try await ended(try #require(admitted.body["execution_id"]?.stringValue))
    }

    /// `Step: first word of what was said last of it`, from the log.
    func steps(of execution: JSON) async throws -> [String] {
        try await lines(of: execution).compactMap { line in
            guard let step = line["step"]?.stringValue, let message = line["message"]?.stringValue else { return nil }
            return "\(step): \(message.prefix { $0.isLetter })"
        }
    }

    /// The log, or one step's part of it.
    func lines(of execution: JSON, step: String? = nil) async throws -> [JSON] {
        let id = try #require(execution["id"]?.stringValue)
        let lines = try await get("/v1/executions/\(id)/logs?limit=1000").body["logs"]?.arrayValue ?? []
        return lines.filter { step == nil || $0["step"]?.stringValue == step }
    }
}
