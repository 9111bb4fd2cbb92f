public import PluginKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@c @implementation public func aib_plugin_entry(_: UInt32, _: UInt32) -> UnsafePointer<aib_entry>? {
    PluginEntry.make(Claude.self)
}

/// Anthropic's Claude models behind `ai.generate`.
///
/// It sends one request a call and never a second one: the host alone repeats, within the step's deadline and budget.
struct Claude: Plugin {
    static var manifest: [UInt8] { PackageResources.plugin_json }

    private let settings: Settings

    init(configuration: JSON, host: Host) throws {
        settings = try Settings(configuration)
    }

    func call(_ call: Call) async throws -> JSON {
        guard call.operation == "ai.generate" else {
            throw PluginError(.unsupported, "Claude serves ai.generate, not \(call.operation)")
        }
        let request = try GenerateRequest(call.input, defaultModel: settings.defaultModel)
        let response = try await call.send(request.httpRequest(to: settings.messagesURL, callID: call.trace))
        guard 200..<300 ~= response.status else { throw await Self.failure(of: response) }
        let requestID = response.header("request-id")
        let answer = Answer(request: request, providerRequestID: requestID)
        let form = try Answer.Form(contentType: response.header("content-type"), requestID: requestID)
        return try await answer.read(response.body, as: form) { output in
            switch output {
            case .text(let piece): try await call.emit(text: piece)
            case .usage(let usage): try await call.emit(usage: usage)
            }
        }
    }

    private static func failure(of response: HTTPResponse) async -> PluginError {
        var body: [UInt8] = []
        do {
            for try await piece in response.body {
                body += piece.prefix(ProviderFailure.bodyLimit - body.count)
                if body.count == ProviderFailure.bodyLimit { break }
            }
        } catch {
            // The status says enough without the rest of the body.
        }
        return ProviderFailure.error(
            status: response.status, body: body, now: Int64(time(nil)), header: response.header)
    }
}
