import Domain
import Synchronization
import Testing

@testable import Engine

@Suite struct SystemResultTests {
    private static let long = String(repeating: "x", count: 70_000)

    @Test(arguments: [
        JSON.null, "done", [], ["secrets": "postgresql://db"], ["secrets": ["database_url": 1]],
        ["secrets": ["database_url": ""]], ["secrets": ["other": "x"]], ["database_url": "postgresql://u:p@h"],
        ["database_url": "postgresql://u:p@h", "secrets": ["database_url": "postgresql://u:p@h"]],
        ["secrets": ["database_url": .string(long)]],
        ["secrets": ["database_url": "postgresql://u:p@h/\"d"], "summary": "at postgresql://u:p@h/\"d"],
        ["secrets": ["database_url": "postgresql://u:p@h"], "resource": ["url": ["postgresql://u:p@h"]]],
        ["secrets": ["database_url": "postgresql://db"], "resource": "an-id"],
        ["secrets": ["database_url": "postgresql://db"], "resource": ["id": .string(long)]],
    ])
    func `a database without a secret URL, or with what cannot be kept, is refused`(result: JSON) throws {
        let fault = try #require(SystemResult(result).fault(of: .setupDatabase))
        #expect(!fault.contains("u:p@h") && fault.utf8.count < 200)
    }

    @Test(arguments: [
        JSON.null, 1, "", "app", "//app", "ftp://app", "javascript:alert(1)", "file:///etc/passwd", "http://",
        "https://:80", "https:///path", "https://user:password@app", "https://app/?q", "https://app/#f",
        "https://a b", "https://app\n.evil", "https://äpp", "https://app\\evil", .string("https://" + long),
    ])
    func `an application's address is an http or https URL`(url: JSON) {
        #expect(SystemResult(["app_url": url]).fault(of: .deployApplication) != nil)
    }

    @Test(arguments: ["http://127.0.0.1:8080", "https://shop.up.railway.app", "HTTPS://App/base/", "http://[::1]:80"])
    func `an address that can be opened is taken`(url: String) {
        #expect(SystemResult(["app_url": .string(url)]).fault(of: .deployApplication) == nil)
    }

    @Test(arguments: ["", "a..b", "evil.com/path", "user@evil.com", "a b.c", "evil.com:80", 1] as [JSON])
    func `a domain is a host name`(domain: JSON) {
        #expect(SystemResult(["domain": domain, "status": "active"]).fault(of: .setupDomain) != nil)
    }

    @Test func `a good answer is taken apart`() {
        let result = SystemResult([
            "engine": "postgresql", "secrets": ["database_url": "postgresql://db"], "resource": ["id": "1"],
        ])
        #expect(result.fault(of: .setupDatabase) == nil)
        #expect(JSON.object(result.output) == ["engine": "postgresql"])
        #expect(result.resource == ["id": "1"] && result.secrets.map(\.value) == ["postgresql://db"])
        #expect(SystemResult(["domain": "shop.example.com", "status": "active"]).fault(of: .setupDomain) == nil)
    }

    @Test func `a deployment at no address fails at once and is undone`() async throws {
        let (world, target) = (FakeDeployment(), FakeTarget())
        let script = ReplacingDispatch(target, "deploy.deploy", with: ["app_url": "javascript:alert(1)"])
        var fixture = RunFixture()
        fixture.ports = world.ports
        try await fixture.run(.fresh(plan: .deploying()), script)
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.error?.code == "plugin_fault" && ending.error?.leftovers == [])
        #expect(target.exists == ["create_deployment_config"] && fixture.clock.sleeps.isEmpty)
        #expect(fixture.ledger.deployments.last?.status == .failed)
        #expect(fixture.ledger.lines.allSatisfy { !$0.message.contains("javascript") })
    }

    @Test func `a health check's path stays behind the application's address`() async throws {
        let (world, target) = (FakeDeployment(), FakeTarget())
        let script = ReplacingDispatch(
            target, "core.create_deployment_config", with: ["health_check_path": "@evil.example/"])
        var fixture = RunFixture()
        fixture.ports = world.ports
        try await fixture.run(.fresh(plan: .deploying()), script)
        #expect(world.state.withLock { $0.probed } == ["http://app/health"])
    }

    @Test func `what a deployment took of its step's time is not given to it again`() async throws {
        let (world, target) = (FakeDeployment(), FakeTarget())
        let sick = ProbeResult(isHealthy: false, latency: .zero, status: 503, reason: "status 503")
        world.state.withLock { $0.findings = Array(repeating: sick, count: 1_000) }
        var fixture = RunFixture()
        fixture.ports = world.ports
        fixture.keepLease()
        let (clock, lease) = (fixture.clock, fixture.lease)
        let slow = HookedDispatch(target) { invocation in
            guard invocation.route.operation == "deploy.deploy" else { return }
            for _ in 0..<5 {
                clock.advance(by: .seconds(10))
                lease.renewed(sentAt: clock.engineClock.instant())
            }
        }
        try await fixture.run(.fresh(plan: .deploying()), slow)
        #expect(fixture.ledger.ending?.error?.code == "deployment_unhealthy")
        #expect(clock.sleeps.reduce(.zero, +) <= .seconds(10), "the step has 60 s, of which 50 were gone")
    }

    @Test func `a model is told that there is a secret, not which`() throws {
        let reference = SecretReference(id: UUIDv7(at: Timestamp(microseconds: 6)))
        guard case .ai(let action) = PlannedStep.ai("1").action else { return }
        let exchange = AIExchange(
            action: action, prompt: "p", context: [("database", ["database_url": reference.json])])
        let text = try #require(exchange.input(model: nil)["messages"]?.arrayValue?.first?["content"]?.stringValue)
        #expect(text.contains("database_url: (a secret)") && !text.contains(reference.id.description))
    }

    @Test func `files are passed on by path, under whatever name`() {
        let files: JSON = [["path": "a.py", "content": "pass"]]
        let (alone, whole): (JSON, JSON) = (["code": files], ["b": ["summary": "s", "files": files]])
        #expect(alone.withoutFileContents == ["code": ["a.py"]])
        #expect(whole.withoutFileContents == ["b": ["summary": "s", "files": ["a.py"]]])
    }
}

/// Providers one of whose operations answers otherwise, after it was carried out.
private final class ReplacingDispatch: Dispatch {
    private let (target, operation, result): (FakeTarget, String, JSON)

    init(_ target: FakeTarget, _ operation: String, with result: JSON) {
        (self.target, self.operation, self.result) = (target, operation, result)
    }

    var routes: [RouteKey] { target.routes }
    func route(for key: RouteKey) -> Route? { target.route(for: key) }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let answer = try await target.invoke(invocation, onChunk: onChunk)
        return invocation.route.operation == operation ? result : answer
    }
}
