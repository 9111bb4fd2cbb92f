import HTTPTypes
import Hummingbird

/// The one middleware: every request takes its turn here, and every answer leaves through it, with its request id,
/// counted, and with errors turned into problem documents.
struct RequestBoundary: RouterMiddleware {
    typealias Context = APIContext

    let metrics: HTTPMetrics
    let turns: RequestTurns
    private let clock = ContinuousClock()

    init(metrics: HTTPMetrics, turns: RequestTurns) {
        self.metrics = metrics
        self.turns = turns
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = clock.now
        let requestID = context.id
        var response: Response
        do {
            var counted = context
            // Probes are answered however busy the server is.
            if request.uri.path.hasPrefix("/v1/") { counted.turn = try turns.begin() }
            response = try await next(request, counted)
        } catch {
            let problem = Problem(error, request: request, logger: context.logger)
            response = problem.response(instance: request.uri.path, requestID: requestID)
        }
        response.headers[.requestID] = requestID
        // An unmatched path has passed no HEAD handler that would have taken its body away.
        if request.method == .head { response = response.createHeadResponse() }
        metrics.record(
            method: request.method, endpoint: endpoint(of: request, context), status: response.status.code,
            duration: clock.now - start)
        return response
    }

    private func endpoint(of request: Request, _ context: Context) -> String {
        if let path = context.endpointPath, path.first == "/" { return path }
        return Endpoint(matching: request.uri.path)?.rawValue ?? "unmatched"
    }
}
