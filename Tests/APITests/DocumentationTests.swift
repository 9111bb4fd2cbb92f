import Foundation
import Hummingbird
import Testing

@testable import API

@Suite struct DocumentationTests {
    private let document: String

    init() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        document = try String(contentsOf: package.appending(path: "docs/api.md"), encoding: .utf8)
    }

    @Test(arguments: ProblemCode.allCases)
    func everyProblemCodeIsDocumentedWithItsStatus(code: ProblemCode) {
        #expect(document.contains("\n| \(code.status.code) | `\(code.rawValue)` | "))
    }

    @Test func noOtherProblemCodeIsDocumented() {
        let rows = document.split(separator: "\n").filter { $0.hasPrefix("| 4") || $0.hasPrefix("| 5") }
        #expect(rows.count == ProblemCode.allCases.count)
    }

    @Test(arguments: Endpoint.allCases)
    func everyEndpointIsDocumented(endpoint: Endpoint) {
        let method = endpoint.allowedMethods.prefix { $0 != "," }
        #expect(document.contains("\n| [`\(method) \(endpoint.rawValue)`]("))
    }
}
