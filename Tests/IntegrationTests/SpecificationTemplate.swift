import Foundation

/// The template of the specification (section 3.1), as it is written there.
enum SpecificationTemplate {
    static var json: String {
        get throws {
            let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            return try String(contentsOf: tests.appending(path: "Fixtures/saas-starter-v2.json"), encoding: .utf8)
        }
    }
}
