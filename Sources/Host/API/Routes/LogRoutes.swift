import Domain
import HTTPTypes
import Hummingbird

/// `GET /v1/executions/{execution_id}/logs`: a page, or all lines as they come.
struct LogRoutes: Sendable {
    private static let maximumLines: Int64 = 1_000
    private static let usualLines: Int64 = 200

    private let dependencies: APIDependencies
    private let authenticator: Authenticator
    private let places: StreamPlaces

    init(dependencies: APIDependencies, authenticator: Authenticator) {
        self.dependencies = dependencies
        self.authenticator = authenticator
        places = StreamPlaces(dependencies.streamLimits)
    }

    func add(to router: Router<APIContext>) {
        router.get(RouterPath(Endpoint.logs.rawValue)) { request, context in
            try await logs(request, context, id: context.parameters["execution_id"] ?? "")
        }
    }

    private enum Toggle: String, CaseIterable {
        case on = "true"
        case off = "false"
    }

    private func logs(_ request: Request, _ context: APIContext, id: Substring) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context)
        var query = QueryReader(request)
        let after = query.integer("after", in: 0...Int64.max, default: 0)
        let limit = query.integer("limit", in: 1...Self.maximumLines, default: Self.usualLines)
        let hasLimit = query.text("limit") != nil
        let isStream = query.choice("stream", of: Toggle.self) == .on
        try query.finish()
        if isStream {
            guard !hasLimit else { throw Self.limitOfStream }
            let last = try Self.lastEventID(request.headers)
            return try await stream(context, id: id, user: principal.userID, after: last ?? after)
        }
        guard let execution = UUIDv7(id),
            let page = try await dependencies.reader.logs(
                execution, of: principal.userID, after: after, limit: Int(limit))
        else { throw Problem.noExecution(id) }
        return .json(
            "{\"logs\":\(page.lines),\"next_after\":\(page.lastSequence),\"has_more\":\(page.hasMore)}")
    }

    private func stream(
        _ context: APIContext, id: Substring, user: UUIDv7, after: Int64
    ) async throws -> Response {
        guard let execution = UUIDv7(id) else { throw Problem.noExecution(id) }
        let place = try places.take(for: user)
        let page = try await dependencies.reader.logs(execution, of: user, after: after, limit: LogStream.pageLimit)
        guard let page else { throw Problem.noExecution(id) }
        let stream = LogStream(
            reader: dependencies.reader, signals: dependencies.signals, timer: dependencies.timer,
            logger: context.logger, execution: execution, user: user, place: place)
        let channel = context.channel
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                try await stream.write(from: page, to: &writer, on: channel)
                try await writer.finish(nil)
            })
    }

    /// The last line that a client has: what `EventSource` sends when it comes again.
    private static func lastEventID(_ headers: HTTPFields) throws(Problem) -> Int64? {
        guard let text = headers[.lastEventID] else { return nil }
        if let sequence = Int64(text), sequence >= 0, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) { return sequence }
        let detail = "A Last-Event-ID is the id of an event of this stream: a whole number, 0 or more."
        throw Problem(
            .invalidHeader, detail,
            errors: [
                InputError(
                    place: .header(HTTPField.Name.lastEventID.rawName), code: "invalid_last_event_id", detail: detail)
            ])
    }

    private static var limitOfStream: Problem {
        let detail = "A stream has every line; limit is for pages."
        return Problem(
            .unsupportedParameter, detail,
            errors: [InputError(place: .parameter("limit"), code: "unsupported_parameter", detail: detail)])
    }
}
