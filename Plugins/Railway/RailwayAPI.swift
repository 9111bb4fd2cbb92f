import PluginKit

/// Railway's API for the length of one call.
struct RailwayAPI: Sendable {
    /// Bytes of an answer that are read; a page of logs is the longest.
    static let answerLimit = 4 << 20
    /// Bounds one request but the upload, in milliseconds: one that hangs must not use up the call's time.
    static let requestTimeout: UInt32 = 30_000

    let call: Call
    let settings: Settings

    /// What became of an operation that reached the API.
    enum Outcome: Sendable {
        case data(Answer)
        /// The second is the error to throw where the operation has no better one.
        case refused(GraphQLRefusal, PluginError)
    }

    /// Carries out one operation.
    ///
    /// - Parameter fillsSecrets: whether the host fills secrets' values into the variables.
    /// - Returns: the field that the operation asks for.
    /// - Throws: `PluginError`.
    func perform(
        _ document: Document, _ variables: JSON, field: String, fillsSecrets: Bool = false
    ) async throws -> Answer {
        switch try await outcome(document, variables, fillsSecrets: fillsSecrets) {
        case .data(let data): return data[field]
        case .refused(_, let error): throw error
        }
    }

    /// The same for something that need not be there: nil where Railway says that it is not.
    func find(_ document: Document, _ variables: JSON, field: String) async throws -> Answer? {
        switch try await outcome(document, variables) {
        case .data(let data): return data[field].isNull ? nil : data[field]
        case .refused(let refusal, _) where refusal.kind == .missing: return nil
        case .refused(_, let error): throw error
        }
    }

    func outcome(_ document: Document, _ variables: JSON, fillsSecrets: Bool = false) async throws -> Outcome {
        let body: JSON = [
            "operationName": .string(document.name), "query": .string(document.text), "variables": variables,
        ]
        let response = try await call.send(
            HTTPRequest(
                method: "POST", url: settings.baseURL + "/graphql/v2",
                headers: headers(contentType: "application/json"), body: .bytes(body.bytes),
                timeoutMilliseconds: Self.requestTimeout, fillsSecretsInBody: fillsSecrets))
        let isSuccess = 200..<300 ~= response.status
        // A refused document comes with status 400 and says why in the same form.
        guard isSuccess || response.status == 400 else {
            throw await failure(of: response, document.name, isConfidential: document.isConfidential)
        }
        let bytes = try await response.collect(upTo: Self.answerLimit)
        guard let json = try? JSON.parse(bytes, JSON.Reading(repairsStrings: true)), json.objectValue != nil else {
            guard isSuccess else {
                let detail = document.isConfidential ? "" : ProviderFailure.detail(of: bytes)
                throw ProviderFailure.error(
                    status: response.status, document.name, detail: detail, header: response.header)
            }
            throw PluginError(
                .upstream, "Railway's answer to \(document.name) is not JSON; check the setting base_url",
                isRetryable: true, providerRequestID: response.header(ProviderFailure.requestIDHeader))
        }
        if let refusal = GraphQLRefusal(json["errors"]?.arrayValue ?? []) {
            return .refused(refusal, refusal.error(document, header: response.header))
        }
        guard isSuccess, let data = json["data"], data.objectValue != nil else {
            throw PluginError(.upstream, "Railway's answer to \(document.name) has neither data nor errors")
        }
        return .data(Answer(value: data, path: document.name))
    }

    /// The error that an answer with an error status stands for. Of its body only the beginning is read.
    func failure(
        of response: HTTPResponse, _ what: String, isConfidential: Bool = false, isUpload: Bool = false
    ) async -> PluginError {
        let body = await response.beginning(upTo: ProviderFailure.bodyLimit)
        return ProviderFailure.error(
            status: response.status, what, detail: isConfidential ? "" : ProviderFailure.detail(of: body),
            isUpload: isUpload, header: response.header)
    }

    func headers(contentType: String) -> [(String, String)] {
        [
            ("authorization", "Bearer {{secret:\(Settings.tokenName)}}"), ("content-type", contentType),
            ("accept", "application/json"), ("x-aibackend-call-id", call.trace),
        ]
    }
}
