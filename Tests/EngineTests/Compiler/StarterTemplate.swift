import Foundation

/// The template of the specification (section 3.1), as it is written there: eleven references, an optional step,
/// aliases and outputs of the execution.
enum StarterTemplate {
    static let json: String = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = tests.appending(path: "Fixtures/saas-starter-v2.json")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { fatalError("\(file.path) is missing") }
        return text
    }()
}
