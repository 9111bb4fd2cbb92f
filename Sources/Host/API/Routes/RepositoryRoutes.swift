import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// `…/repository.git`: what a run has built, for `git clone` and `git fetch`. Errors are plain text, which git shows.
struct RepositoryRoutes: Sendable {
    /// Of a request, decoded: what a client wants and has. git splits longer negotiations into several.
    static let bodyLimit = 1_024 * 1_024

    private enum Service: String, CaseIterable {
        case upload = "git-upload-pack"
        case receive = "git-receive-pack"
    }

    private let sources: any SourceService
    private let authenticator: Authenticator
    private let places: StreamPlaces

    init(dependencies: APIDependencies, authenticator: Authenticator) {
        sources = dependencies.sources
        self.authenticator = authenticator
        places = StreamPlaces(dependencies.cloneLimits)
    }

    func add(to router: Router<APIContext>) {
        router.get(RouterPath(Endpoint.references.rawValue)) { request, context in
            await plain(request, context) { try await references(request, context) }
        }
        router.post(RouterPath(Endpoint.uploadPack.rawValue)) { request, context in
            await plain(request, context) { try await pack(request, context) }
        }
    }

    private func plain(
        _ request: Request, _ context: APIContext, _ body: () async throws -> Response
    ) async -> Response {
        do {
            return try await body()
        } catch {
            return Problem(error, request: request, logger: context.logger).plainResponse()
        }
    }

    private func references(_ request: Request, _ context: APIContext) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context, accepting: .basicToo)
        var query = QueryReader(request)
        let service = query.choice("service", of: Service.self)
        if query.text("service") == nil {
            query.refuse("service", "required", "Only git's smart HTTP protocol is spoken: git 1.6.6 or newer.")
        }
        try query.finish()
        guard service == .upload else {
            throw Problem(.readOnly, "This repository can be cloned and fetched from; nothing can be pushed to it.")
        }
        let id = context.parameters["execution_id"] ?? ""
        let place = try places.take(for: principal.userID)
        guard let execution = UUIDv7(id),
            let stream = try await sources.references(
                of: execution, user: principal.userID, version: request.headers[.gitProtocol])
        else { throw Problem.noExecution(id) }
        return try await Self.response(
            stream, type: "application/x-git-upload-pack-advertisement", on: context.channel, place)
    }

    private func pack(_ request: Request, _ context: APIContext) async throws -> Response {
        let principal = try await authenticator.principal(of: request, in: context, accepting: .basicToo)
        var query = QueryReader(request)
        try query.finish()
        let id = context.parameters["execution_id"] ?? ""
        let place = try places.take(for: principal.userID)
        let body = try await Self.body(request)
        guard let execution = UUIDv7(id),
            let stream = try await sources.pack(
                of: execution, user: principal.userID, request: body, version: request.headers[.gitProtocol])
        else { throw Problem.noExecution(id) }
        return try await Self.response(
            stream, type: "application/x-git-upload-pack-result", on: context.channel, place)
    }

    /// The request's body, unpacked where git has packed it.
    private static func body(_ request: Request) async throws(Problem) -> [UInt8] {
        guard request.headers[.contentType] == "application/x-git-upload-pack-request" else {
            throw Problem(.unsupportedMediaType, "The body must be application/x-git-upload-pack-request.")
        }
        let encoding = (request.headers[.contentEncoding] ?? "identity").lowercased()
        guard ["identity", "gzip", "x-gzip"].contains(encoding) else {
            throw Problem(
                .unsupportedMediaType, "The body may be compressed by gzip only, not \(encoding.clipped).")
        }
        let bytes = try await request.bytes(limit: bodyLimit)
        guard encoding != "identity" else { return bytes }
        do throws(Gzip.Fault) {
            return try Gzip.unpack(bytes, limit: bodyLimit)
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge(bodyLimit)
            case .damaged: throw Problem(.unreadableBody, "The body is not what gzip writes.")
            }
        }
    }

    /// Sends a stream no faster than its client takes it, and lets go of it when its client does.
    private static func response(
        _ stream: any SourceStream, type: String, on channel: any Channel, _ place: StreamPlaces.Place
    ) async throws -> Response {
        // What fails does so at its beginning, where it can still be answered.
        let first = try await stream.next()
        return Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store", .accelBuffering: "no"],
            body: ResponseBody { writer in
                let watching = await ClientWatch.begin(on: channel, .init(onGone: { stream.cancel() }))
                defer { watching.end() }
                var chunk = first
                while let bytes = chunk {
                    try await writer.write(ByteBuffer(bytes: bytes))
                    chunk = try await stream.next()
                }
                withExtendedLifetime(place) {}
                try await writer.finish(nil)
            })
    }
}
