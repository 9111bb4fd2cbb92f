import Domain
import HTTPTypes
import Hummingbird
import Testing

@testable import API

/// Everything of a request that the API reads, endpoint by endpoint: what `SurfaceTests` holds against the API itself,
/// and what the other suites here take apart.
struct Surface {
    let endpoint: Endpoint
    let method: HTTPRequest.Method
    var needsKey = true
    /// How the answer to a request that is wrong is written.
    var isPlainText = false
    var fields: [BodyField] = []
    var parameters: [QueryParameter] = []
    /// Whether parameters that it does not know are let pass, as probes and scrapers need it.
    var ignoresParameters = false
    /// Beside the key.
    var headers: [HTTPField.Name] = []

    static let all: [Surface] = [
        register, templates, execute, execution, logs, resources, references, uploadPack,
        probe(.health), probe(.ready), probe(.metrics),
    ]

    static let register = Surface(
        endpoint: .register, method: .post, needsKey: false,
        fields: [
            BodyField(
                name: "email", isRequired: true, type: "string", good: #""ada@example.com""#, fault: "invalid_email",
                refused: [
                    #""""#, #"" ""#, #""@""#, #""ada@example.com ""#, #""ada@example.com\n""#,
                    #""ada\u0001@example.com""#,
                    #""ada\u007f@example.com""#, #""ada@example\u002e\u202ecom""#, #""ada\ud83d\ude00@example.com""#,
                    #""$(id)@example.com""#, #""(id)@example.com""#, #""ada@{{app_url}}.com""#,
                    "\"\(String(repeating: "a", count: 300))@example.com\"",
                    "\"a@\(String(repeating: "a.", count: 5_000))com\"",
                ]),
            BodyField(
                name: "password", isRequired: false, type: "string", good: #""correct horse""#, fault: "invalid_length",
                refused: [
                    #""""#, #""seven77""#, "\"\(String(repeating: "p", count: 257))\"",
                    // One character, and ten of them.
                    "\"e\(String(repeating: "\u{301}", count: 2_000))\"",
                    "\"\(String(repeating: "e" + String(repeating: "\u{301}", count: 100), count: 10))\"",
                ]),
            BodyField(
                name: "subscription_tier", isRequired: false, type: "string", good: #""starter""#, fault: "not_allowed",
                refused: [
                    #""""#, #""STARTER""#, #""starter ""#, #""starter\u0000x""#.replacing(#"\u0000"#, with: #"\u0001"#),
                    #""{{deployment_config.tier}}""#, "\"\(String(repeating: "s", count: 10_000))\"",
                    "\"e\(String(repeating: "\u{301}", count: 3_000))\"",
                ]),
        ], headers: [.contentType, .contentEncoding, .contentLength])

    static let templates = Surface(
        endpoint: .templates, method: .get,
        parameters: [
            QueryParameter(
                name: "category", good: "saas", fault: "invalid_category", accepted: Malformed.identifiers),
            QueryParameter(name: "complexity", good: "advanced", fault: "not_allowed"),
            QueryParameter(name: "max_cost", good: "12.50", fault: "invalid_amount", accepted: ["0.5", "-0", "1e3"]),
            QueryParameter(name: "limit", good: "10", fault: "out_of_range"),
            QueryParameter(
                name: "cursor", good: "saas-starter", fault: "invalid_cursor", accepted: Malformed.identifiers),
        ])

    static let execute = Surface(
        endpoint: .execute, method: .post,
        fields: [
            BodyField(
                name: "configuration", isRequired: true, type: "object", good: #"{"app_name":"Shop"}"#,
                fault: "dangerous_content", refused: []),
            BodyField(
                name: "webhook_url", isRequired: false, type: "string", good: #""https://example.com/hook""#,
                fault: "invalid_url",
                refused: [
                    #""""#, #""https://""#, #""//example.com""#, #""file:///etc/passwd""#, #""gopher://example.com""#,
                    #""https://example.com/\n""#, #""https://example.com/\u0001""#, #""https://ex\u200bample.com""#,
                    #""https://user:password@example.com""#, #""https://example.com\\@10.0.0.1/{{app_url}} ""#,
                    "\"https://example.com/\(String(repeating: "a", count: 2_048))\"",
                ]),
        ], headers: [.contentType, .contentEncoding, .contentLength, .idempotencyKey])

    static let execution = Surface(endpoint: .execution, method: .get)
    static let resources = Surface(endpoint: .resources, method: .get)

    static let logs = Surface(
        endpoint: .logs, method: .get,
        parameters: [
            QueryParameter(name: "after", good: "7", fault: "out_of_range"),
            QueryParameter(name: "limit", good: "10", fault: "out_of_range"),
            QueryParameter(name: "stream", good: "false", fault: "not_allowed", accepted: ["true"]),
        ], headers: [.lastEventID])

    static let references = Surface(
        endpoint: .references, method: .get, isPlainText: true,
        parameters: [QueryParameter(name: "service", good: "git-upload-pack", fault: "not_allowed")],
        headers: [.authorization, .gitProtocol])

    static let uploadPack = Surface(
        endpoint: .uploadPack, method: .post, isPlainText: true,
        headers: [.authorization, .gitProtocol, .contentType, .contentEncoding, .contentLength])

    private static func probe(_ endpoint: Endpoint) -> Surface {
        Surface(endpoint: endpoint, method: .get, needsKey: false, ignoresParameters: true)
    }
}

/// A member of a JSON body.
struct BodyField: Sendable {
    let name: String
    let isRequired: Bool
    let type: String
    /// As JSON.
    let good: String
    /// The code for a value of the right type that is not acceptable.
    let fault: String
    /// Such values, as JSON.
    let refused: [String]
}

/// A parameter of a query.
struct QueryParameter: Sendable {
    let name: String
    let good: String
    /// The code for a value that is not acceptable.
    let fault: String
    /// Those of `Malformed.parameters` that this one takes.
    var accepted: Set<String> = []
}

extension Surface: CustomTestStringConvertible {
    var testDescription: String { "\(method) \(endpoint.rawValue)" }

    /// The path with an execution that the caller has, and a template that there is.
    var path: String {
        endpoint.rawValue.replacing("{template_id}", with: "saas-starter")
            .replacing("{execution_id}", with: FakeAdmission.executionID.description)
    }

    /// Every field with a value that is taken.
    func body(replacing name: String? = nil, by value: String? = nil) -> String {
        let members = fields.compactMap { field -> String? in
            guard field.name == name else { return "\"\(field.name)\":\(field.good)" }
            return value.map { "\"\(field.name)\":\($0)" }
        }
        return "{\(members.joined(separator: ","))}"
    }

    var hasJSONBody: Bool { !fields.isEmpty }
}
