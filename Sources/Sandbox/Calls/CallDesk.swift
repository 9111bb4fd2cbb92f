import Domain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// How a provider says no.
protocol ProviderRefusal: Error, Sendable {
    var status: Int { get }
    var headers: HTTPFields { get set }

    /// An error whose type and words follow from its status.
    init(status: Int)
    /// The service has no room for the request now.
    static var overloaded: Self { get }
    /// The body is no JSON.
    static func unreadable(_ error: any Error) -> Self
    func response(requestID: String) -> Response
}

/// What every simulated provider of models does with a call, from its entry in the ledger to its answer or refusal.
struct CallDesk<Refusal: ProviderRefusal>: Sendable {
    let provider: Provider
    let control: ControlState
    let rates: RateWindow
    let pace: Pace
    let logger: Logger

    /// - Parameters:
    ///   - answer: gives the response to the call of this sequence number, or throws a refusal.
    ///   - mark: adds the provider's own headers, for a request id and for the standing of its rate limits.
    func respond(
        path: String, callID: String?, answer: (_ sequence: Int) async throws -> Response,
        mark: (inout HTTPFields, _ requestID: String, RateWindow.Standing) -> Void
    ) async -> Response {
        let sequence = control.ledger.open(provider, path: path, callID: callID)
        let requestID = "req_sandbox_\(sequence)"
        var response: Response
        do {
            response = try await answer(sequence)
        } catch let refusal as Refusal {
            control.ledger.close(sequence, .finished, status: refusal.status)
            response = refusal.response(requestID: requestID)
        } catch is DeliberateCut {
            // Its entry is closed already, and so is its connection.
            response = Response(status: .internalServerError)
        } catch {
            // The client has gone while its call was held or its body read: nobody reads this answer.
            control.ledger.close(sequence, .cutByClient, status: nil)
            response = Response(status: .badRequest)
        }
        mark(&response.headers, requestID, rates.peek())
        logger.info(
            "provider call",
            metadata: [
                "provider": "\(provider.rawValue)", "path": "\(path)", "sequence": "\(sequence)",
                "status": "\(response.status.code)",
            ])
        return response
    }

    /// The request's body as JSON.
    ///
    /// - Parameter limit: in bytes; a longer body is refused with status 413.
    func body(of request: Request, upTo limit: Int) async throws -> JSON {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Refusal(status: 413)
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Refusal(status: 413)
        }
        do {
            return try JSON.parse(Array(buffer.readableBytesView))
        } catch {
            throw Refusal.unreadable(error)
        }
    }

    /// Counts a good request, or refuses it with the time to wait.
    func checkRate(tokens: Int) throws(Refusal) {
        let standing = rates.take(tokens: tokens)
        guard standing.isExceeded else { return }
        var refusal = Refusal(status: 429)
        refusal.headers[.retryAfter] = String(standing.secondsToReset)
        throw refusal
    }

    /// Answers a good request, with whatever was planned for it.
    ///
    /// - Parameter answer: is asked once the call is past what holds it before its first byte, with what is to be wrong
    ///   with it.
    func deliver(
        prompt: String, isStreamed: Bool, sequence: Int, on channel: any Channel,
        answer: (AnswerFlaw?) -> any ModelAnswer
    ) async throws -> Response {
        let plan = CallPlan(
            fault: control.faults.take(provider, prompt: prompt),
            gate: control.gates.gate(for: provider, prompt: prompt))
        for hold in plan.holds(after: 0, isStreamed: isStreamed) {
            try await hold.wait(as: sequence, on: channel)
        }
        try await pace.beforeAnswer()
        if let response = try faultyHead(plan.fault, isStreamed: isStreamed, sequence: sequence) { return response }
        let answer = answer(plan.fault?.flaw)
        if case .lostResponse? = plan.fault?.kind {
            control.ledger.close(sequence, .cutBySandbox, status: nil, usage: answer.usage)
            try? await channel.close()
            throw DeliberateCut()
        }
        let writer = AnswerWriter(
            answer: answer, plan: plan, pace: pace, ledger: control.ledger, sequence: sequence, channel: channel)
        return isStreamed ? streamed(by: writer) : whole(by: writer)
    }

    private func streamed(by writer: AnswerWriter) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: ResponseBody { output in try await writer.stream(to: &output) })
    }

    private func whole(by writer: AnswerWriter) -> Response {
        var bytes = writer.answer.whole.bytes
        switch writer.plan.fault?.kind {
        // An answer in one piece that ends early is half an answer.
        case .invalidJSON, .endEarly: bytes.removeLast(bytes.count / 2)
        default: break
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: bytes.count) { [bytes] output in
                try await writer.whole(bytes, to: &output)
            })
    }

    /// The error status a fault puts in place of an answer.
    private func faultyHead(_ fault: Fault?, isStreamed: Bool, sequence: Int) throws -> Response? {
        guard let fault else { return nil }
        switch fault.kind {
        case .status(let status, let retryAfter, let shouldRetry, let body):
            var refusal = Refusal(status: status)
            refusal.headers[.retryAfter] = retryAfter
            refusal.headers[.shouldRetry] = shouldRetry.map { $0 ? "true" : "false" }
            guard let body else { throw refusal }
            control.ledger.close(sequence, .finished, status: status)
            refusal.headers[.contentType] = body.hasPrefix("{") ? "application/json" : "text/html"
            return Response(
                status: HTTPResponse.Status(code: status), headers: refusal.headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        case .overloadedInStream where !isStreamed: throw Refusal.overloaded
        default: return nil
        }
    }
}

// Every name below is a valid token, so none of these is nil.
extension HTTPField.Name {
    static let shouldRetry = Self("x-should-retry")!
}

extension HTTPFields {
    /// The key of an `Authorization: Bearer` header.
    var bearerKey: String? {
        self[.authorization].flatMap { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
        }
    }
}
