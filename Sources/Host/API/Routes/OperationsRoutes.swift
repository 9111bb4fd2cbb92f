import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// What probes and scrapers read: `/health`, `/ready` and `/metrics`. They need no key.
struct OperationsRoutes: Sendable {
    private let dependencies: APIDependencies
    private let readiness: ReadinessCheck

    init(dependencies: APIDependencies) {
        self.dependencies = dependencies
        readiness = ReadinessCheck(dependencies.readiness)
    }

    func add(to router: Router<APIContext>) {
        let health = "{\"status\":\"ok\",\"version\":\(JSON.string(dependencies.version).text)}"
        router.get(RouterPath(Endpoint.health.rawValue)) { _, _ in Response.json(health) }
        router.get(RouterPath(Endpoint.ready.rawValue)) { _, _ in await ready() }
        router.get(RouterPath(Endpoint.metrics.rawValue)) { _, _ in exposition() }
    }

    private func ready() async -> Response {
        let report = await readiness.report()
        let body: JSON = [
            "status": report.isReady ? "ready" : "not_ready",
            "checks": .array(
                report.checks.map { check in
                    [
                        "name": .string(check.name), "status": check.isReady ? "ok" : "failed",
                        "detail": check.detail.map { .string($0) } ?? .null,
                    ]
                }),
        ]
        return .json(body.text, status: report.isReady ? .ok : .serviceUnavailable)
    }

    private func exposition() -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: dependencies.metrics.exposition())))
    }
}
