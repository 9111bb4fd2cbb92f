import Domain
import Foundation

/// The template of the specification (section 3.1), as it is written there.
enum SpecificationTemplate {
    static var json: String {
        get throws {
            let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            return try String(contentsOf: tests.appending(path: "Fixtures/saas-starter-v2.json"), encoding: .utf8)
        }
    }

    /// The same template under another name and with something in it that can fail.
    struct Variant: Sendable {
        let id: String
        /// The step that differs, and its fields that do; null takes one out.
        var step: Int64?
        var fields: JSON = [:]
        /// Inputs beside the template's own, or in the place of one with the same key.
        var inputs: [JSON] = []
        /// Members of `success_criteria` that differ.
        var criteria: JSON = [:]

        var json: String {
            get throws {
                var template = try JSON.parse(SpecificationTemplate.json)["template"] ?? .null
                template.change("metadata") { $0.set("id", .string(id)) }
                template.change("configuration") { configuration in
                    let own = configuration["required_inputs"]?.arrayValue?.filter { input in
                        !inputs.contains { $0["key"] == input["key"] }
                    }
                    configuration.set("required_inputs", .array((own ?? []) + inputs))
                }
                let steps = template["execution_steps"]?.arrayValue?.map { one in
                    step != nil && one["step_id"]?.integerValue == step ? one.merging(fields) : one
                }
                template.set("execution_steps", .array(steps ?? []))
                template.change("success_criteria") { $0 = $0.merging(criteria) }
                return (["template": template] as JSON).text
            }
        }
    }
}

extension JSON {
    fileprivate mutating func change(_ key: String, _ change: (inout JSON) -> Void) {
        var value = self[key] ?? .null
        change(&value)
        set(key, value)
    }

    /// With another object's members in the place of its own; null takes one out.
    fileprivate func merging(_ other: JSON) -> JSON {
        (other.objectValue?.members ?? []).reduce(into: self) { result, member in
            result.set(member.key, member.value.isNull ? nil : member.value)
        }
    }
}
