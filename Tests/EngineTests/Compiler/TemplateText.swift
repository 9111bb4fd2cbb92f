/// A small valid template, to be broken one piece at a time.
enum TemplateText {
    static let valid = """
        template:
          metadata:
            id: demo
            name: Demo
            version: "1.0.0"
            description: A demonstration.
            category: tools
            complexity: beginner
          configuration:
            required_inputs:
              - key: topic
                type: string
                validation: '[a-z ]{3,40}'
                default: surf
            deployment_config:
              provider: railway
          execution_steps:
            - step_id: 1
              name: First Draft
              type: ai_call
              ai_provider: claude
              prompt_template: Write about {{topic}}.
              expected_output: draft
            - step_id: 2
              name: Final Cut
              type: ai_call
              ai_provider: claude
              prompt_template: Improve {{draft.title}}.
              depends_on: [draft]
              expected_output: final
            - step_id: 3
              name: Release
              type: system_call
              command: deploy_application
              parameters:
                source: "{{final}}"
              depends_on: [final]
          success_criteria:
            required_outputs: [app_url]
          cleanup_on_failure: [delete_deployment]
        """

    /// The template with the first appearance of a piece replaced by another.
    static func replacing(_ piece: String, by other: String) -> String {
        guard let range = valid.firstRange(of: piece) else { return "the template has no \(piece)" }
        return valid.replacingCharacters(in: range, with: other)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
