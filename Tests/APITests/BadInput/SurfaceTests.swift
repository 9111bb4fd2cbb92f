import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// Whoever adds a field, a parameter or a header to the API adds it to `Surface` too: what these tests see to.
@Suite struct SurfaceTests {
    @Test func `every endpoint has a row`() {
        #expect(Surface.all.map(\.endpoint) == Endpoint.allCases)
        for surface in Surface.all {
            #expect(surface.endpoint.allowedMethods.hasPrefix(surface.method.rawValue), "\(surface.endpoint)")
        }
    }

    /// The API's own answer to an unknown member names those that it knows.
    @Test(arguments: Surface.all.filter(\.hasJSONBody))
    func `every field has a row`(surface: Surface) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let problem = try await client.post(surface.path, #"{"no_such_field":1}"#, fixture.jsonKey).problem(
                .invalidRequest)
            let unknown = problem["errors"]?.arrayValue?.first { $0["code"] == "unknown_field" }
            #expect(Self.allowed(in: unknown) == surface.fields.map(\.name))
        }
    }

    @Test(arguments: Surface.all.filter { !$0.ignoresParameters })
    func `every parameter has a row`(surface: Surface) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let response = try await client.execute(
                uri: surface.path + "?no_such_parameter=1", method: surface.method, headers: fixture.jsonKey)
            if surface.isPlainText {
                #expect(response.status == .badRequest && response.text.hasSuffix("(invalid_parameter)\n"))
                let names = Self.names(behind: "allowed: ", in: response.text)
                #expect(names == surface.parameters.map(\.name))
                return
            }
            let problem = try response.problem(.invalidParameter)
            let unknown = problem["errors"]?.arrayValue?.first { $0["code"] == "unknown_parameter" }
            #expect(Self.allowed(in: unknown) == surface.parameters.map(\.name))
        }
    }

    @Test func `every header that the sources read has a row`() throws {
        let api = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/Host/API")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: api.path).filter { $0.hasSuffix(".swift") }
        #expect(paths.count > 30)
        var read: Set<String> = []
        for path in paths {
            let source = try String(contentsOf: api.appending(path: path), encoding: .utf8)
            for match in source.matches(of: #/headers\[(?:values: )?\.([A-Za-z]+)\](?! = )/#) {
                read.insert(String(match.output.1))
            }
        }
        let names: [String: HTTPField.Name] = [
            "contentType": .contentType, "contentEncoding": .contentEncoding, "contentLength": .contentLength,
            "authorization": .authorization, "apiKey": .apiKey, "gitProtocol": .gitProtocol,
            "idempotencyKey": .idempotencyKey, "lastEventID": .lastEventID,
        ]
        #expect(read.subtracting(names.keys).isEmpty, "a header that no row here knows")
        let rows = Set(Surface.all.flatMap(\.headers) + [.apiKey])
        #expect(Set(read.compactMap { names[$0] }) == rows)
    }

    private static func allowed(in error: JSON?) -> [String] {
        let detail = error?["detail"]?.stringValue ?? ""
        if detail.contains("takes none") { return [] }
        return names(behind: "allowed: ", in: detail)
    }

    /// `… allowed: a, b.`
    private static func names(behind mark: String, in text: String) -> [String] {
        guard let start = text.firstRange(of: mark)?.upperBound else { return [] }
        return text[start...].prefix { $0 != "." }.split(separator: ", ").map { String($0) }
    }
}
