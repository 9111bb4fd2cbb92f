import Domain
import Synchronization
import Testing

@testable import Engine

@Suite struct DeploymentRunTests {
    private let world = FakeDeployment()
    private let target = FakeTarget()

    private func run(_ claim: ClaimedExecution) async throws -> RunFixture {
        var fixture = RunFixture()
        fixture.ports = world.ports
        fixture.keepLease()
        try await fixture.run(claim, target)
        return fixture
    }

    @Test func `a run that deploys ends with URL, repository and credentials`() async throws {
        let plan = ExecutionPlan.deploying(checks: [
            .http(url: "{{app_url}}/health", expectedStatus: 200), .database(connectionString: "{{database_url}}"),
        ])
        let claim = ClaimedExecution.fresh(plan: plan, configuration: ["app_name": "Invoice Pilot 2!"])
        let fixture = try await run(claim)
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.state == .completed, "\(ending.error?.json.text ?? "")")
        #expect(ending.result["app_url"] == "http://app")
        #expect(ending.result["final_url"] == "http://app", "a domain without its records does not answer")
        #expect(ending.deployedURL == "http://app")
        #expect(ending.result["credentials"]?["email"] == "admin@invoice-pilot-2.example")
        #expect(SecretReference(try #require(ending.result["credentials"]?["password"])) != nil)
        let stored = fixture.ledger.records.map(\.output.text).joined()
        #expect(!stored.contains("password-1") && !stored.contains("postgresql://"))
        #expect(world.state.withLock { $0.schemas } == ["postgresql://db: CREATE TABLE t (id int)"])
        #expect(
            world.state.withLock { $0.probed } == ["http://app/healthz", "http://app/health", "postgresql://db"])
    }

    @Test func `a deployment gets source, variables and secrets, and no file contents`() async throws {
        let fixture = try await run(.fresh(plan: .deploying(), configuration: ["app_name": "Shop"]))
        #expect(fixture.ledger.ending?.state == .completed)
        let deploy = try #require(target.calls(of: "deploy.deploy").first)
        #expect(deploy.input["application"]?["name"] == "shop")
        #expect(deploy.input["source"]?["blob"] == "digest")
        #expect(deploy.input["start_command"] == "python3 main.py")
        #expect(deploy.input["health_check_path"] == "/healthz")
        let variables = try #require(deploy.input["variables"])
        #expect(variables["ADMIN_EMAIL"] == "admin@shop.example")
        let password = try #require(variables["ADMIN_PASSWORD"].flatMap { SecretReference($0) })
        let database = try #require(variables["DATABASE_URL"].flatMap { SecretReference($0) })
        #expect(deploy.secrets[password.id.description] == "password-1")
        #expect(deploy.secrets[database.id.description] == "postgresql://db")
        #expect(deploy.input["parameters"]?["backend"]?["files"] == [])
        #expect(fixture.ledger.deployments.last?.status == .live)
        #expect(fixture.ledger.deployments.last?.buildLogs == "built the thing\n")
    }

    @Test func `an effect is intended before it begins and done with its step`() async throws {
        let fixture = try await run(.fresh(plan: .deploying()))
        #expect(
            fixture.ledger.intents.map(\.command) == [
                "setup_database", "deploy_application", "setup_domain", "setup_monitoring",
            ])
        for record in fixture.ledger.checkpoints where record.step?.state == .succeeded {
            guard let step = record.step, ["2", "4", "5", "6"].contains(step.stepID) else { continue }
            let isDone =
                fixture.ledger.checkpoints.prefix { $0.step?.stepID != step.stepID }.flatMap(\.effects)
                + record.effects
            #expect(isDone.contains { $0.stepID == step.stepID && $0.state == .done })
        }
    }

    @Test func `an answer that was lost after the effect is looked up, not done again`() async throws {
        target.state.withLock {
            $0.lostAnswers["deploy.deploy"] = [ProviderError(.timeout, "cut", isRetryable: true)]
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(target.calls(of: "deploy.deploy").count == 1)
        #expect(target.calls(of: "deploy.lookup").count == 1)
        #expect(fixture.ledger.lines.contains { $0.message == "found done already" })
    }

    @Test func `after a crash an effect that was intended is looked up first`() async throws {
        let id = UUIDv7(at: Timestamp(microseconds: 0))
        let effect = Effect(
            key: "\(id)/2", stepID: "2", command: "setup_database", provider: "railway", pluginID: "railway",
            request: ["application": ["id": .string(id.description)]], state: .intended)
        target.state.withLock { $0.exists = ["setup_database"] }
        let claim = ClaimedExecution.fresh(plan: .deploying(), id: id, effects: [effect])
        let fixture = try await run(claim)
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(target.calls(of: "deploy.provision_database").isEmpty)
        let lookup = try #require(target.calls(of: "deploy.lookup").first)
        #expect(lookup.input["application"]?["id"]?.stringValue == id.description)
        #expect(lookup.input["effect"]?["key"]?.stringValue == "\(id)/2")
    }

    @Test(arguments: [
        "deploy.provision_database", "core.create_deployment_config", "deploy.deploy", "core.setup_monitoring",
    ])
    func `a failure at any step leaves nothing behind, last made first undone`(operation: String) async throws {
        target.state.withLock {
            $0.errors[operation] = [ProviderError(.invalid, "no: secret detail")]
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.state == .failed)
        #expect(target.exists.subtracting(["create_deployment_config"]).isEmpty)
        #expect(ending.error?.leftovers == [])
        #expect(ending.error?.step != nil && ending.error?.message.contains("secret detail") == false)
        let undone = target.calls.compactMap { call in
            call.input["effect"]?["command"]?.stringValue
        }
        let order = ["setup_monitoring", "setup_domain", "deploy_application", "setup_database"]
        #expect(undone == order.filter { undone.contains($0) })
    }

    @Test func `what cannot be undone is said`() async throws {
        target.state.withLock {
            $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")]
            $0.errors["deploy.delete"] = [ProviderError(.denied, "no", status: 403)]
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.error?.leftovers == ["setup_domain at railway"])
        #expect(ending.error?.json["not_undone"] == ["setup_domain at railway"])
        #expect(fixture.ledger.effects.contains { $0.state == .undoFailed && $0.command == "setup_domain" })
        #expect(target.exists == ["setup_domain", "create_deployment_config"])
    }

    @Test func `what the template does not want undone stays, and is said`() async throws {
        target.state.withLock { $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")] }
        let fixture = try await run(.fresh(plan: .deploying(cleanup: [.deleteDeployment])))
        #expect(target.exists == ["setup_domain", "setup_database", "create_deployment_config"])
        #expect(
            fixture.ledger.ending?.error?.leftovers == ["setup_database at railway", "setup_domain at railway"])
    }

    @Test func `undoing is tried again where that can help`() async throws {
        target.state.withLock {
            $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")]
            $0.errors["deploy.delete"] = [ProviderError(.upstream, "busy", isRetryable: true, status: 503)]
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        #expect(fixture.ledger.ending?.error?.leftovers == [])
        #expect(target.exists == ["create_deployment_config"])
    }

    @Test func `an application that never answers fails the step and is undone`() async throws {
        let sick = ProbeResult(isHealthy: false, latency: .zero, status: 503, reason: "status 503")
        world.state.withLock { $0.findings = Array(repeating: sick, count: 1_000) }
        let fixture = try await run(.fresh(plan: .deploying()))
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "deployment_unhealthy" && error.step == "Step 4")
        #expect(error.message.contains("http://app/healthz") && error.message.contains("status 503"))
        #expect(error.message.contains("built the thing"))
        #expect(target.exists == ["create_deployment_config"])
        #expect(fixture.ledger.deployments.last?.status == .failed)
    }

    @Test func `an address that may not be looked at fails at once`() async throws {
        world.state.withLock {
            $0.findings = [ProbeResult(isHealthy: false, latency: .zero, reason: "not allowed", isRefused: true)]
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "deployment_unhealthy" && error.message.contains("not allowed"))
        #expect(world.state.withLock { $0.probed }.count == 1)
    }

    @Test func `a success criterion that does not hold undoes the run`() async throws {
        let sick = ProbeResult(isHealthy: false, latency: .zero, reason: "connection refused")
        world.state.withLock {
            $0.findings = [ProbeResult(isHealthy: true, latency: .zero)] + Array(repeating: sick, count: 1_000)
        }
        let fixture = try await run(
            .fresh(plan: .deploying(checks: [.database(connectionString: "{{database_url}}")])))
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "success_criteria_failed" && error.message.contains("connection refused"))
        #expect(!error.message.contains("postgresql://"))
        #expect(target.exists == ["create_deployment_config"])
    }

    @Test func `a schema that the database refuses says why`() async throws {
        world.state.withLock {
            $0.schemaError = ApplicationDatabaseError("syntax error at or near \"Users\"", isRetryable: false)
        }
        let fixture = try await run(.fresh(plan: .deploying()))
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "schema_refused" && error.message.contains("near \"Users\""))
        #expect(target.exists.subtracting(["create_deployment_config"]).isEmpty)
    }

    @Test func `a database that takes no schema now is asked again after a pause`() async throws {
        world.state.withLock { $0.schemaError = ApplicationDatabaseError("no connection", isRetryable: true) }
        let fixture = try await run(.fresh(plan: .deploying()))
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "database_failed" && error.message.contains("no connection") && error.isRetryable)
        let lines = fixture.ledger.lines.filter { $0.message.hasPrefix("attempt ") }
        #expect(lines.map { $0.message.contains("no connection; trying again in") } == [true, true])
    }

    @Test func `files that do not merge say so`() async throws {
        world.state.withLock { $0.archiveError = SourceError(.conflict, "a of \"X\" is a folder of \"Y\"") }
        let fixture = try await run(.fresh(plan: .deploying()))
        #expect(fixture.ledger.ending?.error?.code == "source_conflict")
        #expect(target.calls(of: "deploy.deploy").isEmpty)
    }

    @Test func `an active domain is the final URL, and an absent one is skipped`() async throws {
        target.state.withLock { $0.domainStatus = "active" }
        let with = try await run(.fresh(plan: .deploying()))
        #expect(with.ledger.ending?.result["final_url"] == "https://example.com")
        #expect(
            target.calls(of: "core.setup_monitoring").last?.input["parameters"]?["app_url"] == "https://example.com")

        let without = try await run(.fresh(plan: .deploying(domain: "{{domain_name}}")))
        #expect(without.ledger.ending?.result["final_url"] == "http://app")
        #expect(without.ledger.records.first { $0.stepID == "5" }?.state == .skipped)
    }

    @Test func `the password stays the same over a crash`() async throws {
        _ = try await run(.fresh(plan: .deploying()))
        _ = try await run(.fresh(plan: .deploying()))
        let passwords = target.calls(of: "deploy.deploy").map { Set($0.secrets.values) }
        #expect(passwords.count == 2 && passwords[0] == passwords[1])
    }

    @Test func `a webhook hears of every step and of the end`() async throws {
        let fixture = try await run(.fresh(plan: .deploying(), hasWebhook: true))
        let types = fixture.ledger.checkpoints.flatMap(\.events).map(\.type)
        #expect(types.first == "execution.started" && types.last == "execution.completed")
        #expect(types.count { $0 == "execution.step_finished" } == 6)
        let quiet = try await run(.fresh(plan: .deploying()))
        #expect(quiet.ledger.checkpoints.flatMap(\.events).isEmpty)
    }
}
