import Glibc
package import PluginKit

/// OpenAI's Codex models, and the others of its Responses API, behind `ai.generate`.
///
/// It sends one request a call and never a second one: the host alone repeats, within the step's deadline and budget.
package struct Codex: Plugin {
    package static var manifest: [UInt8] { PackageResources.plugin_json }

    private let settings: Settings

    package init(configuration: JSON, host: Host) throws {
        settings = try Settings(configuration)
    }

    package func call(_ call: Call) async throws -> JSON {
        guard call.operation == "ai.generate" else {
            throw PluginError(.unsupported, "Codex serves ai.generate, not \(call.operation)")
        }
        let request = try GenerateRequest(call.input, defaultModel: settings.defaultModel)
        let response = try await call.send(request.httpRequest(to: settings.responsesURL, callID: call.trace))
        guard 200..<300 ~= response.status else {
            throw ProviderFailure.error(
                status: response.status, body: await response.beginning(upTo: ProviderFailure.bodyLimit),
                now: Int64(time(nil)), header: response.header)
        }
        let requestID = response.header("x-request-id")
        let answer = Answer(request: request, providerRequestID: requestID)
        let form = try Answer.Form(contentType: response.header("content-type"), requestID: requestID)
        return try await answer.read(response.body, as: form) { output in
            switch output {
            case .text(let piece): try await call.emit(text: piece)
            case .usage(let usage): try await call.emit(usage: usage)
            }
        }
    }
}
