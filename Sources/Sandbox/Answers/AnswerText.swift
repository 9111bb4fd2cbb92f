import Domain

/// The text a simulated model answers with.
enum AnswerText {
    /// - Parameters:
    ///   - prompt: everything the model reads; fixtures are matched against it.
    ///   - question: the last thing the user said.
    ///   - schema: what a structured answer must follow; free text without one, which nothing can be wrong with.
    static func make(
        prompt: String, question: String, schema: JSON?, fixtures: AnswerFixtures, flaw: AnswerFlaw? = nil
    ) -> String {
        let fixture = fixtures.fixture(for: prompt)
        let subject = subject(of: question)
        if let schema {
            let answer = SchemaAnswer(schema: schema, subject: subject, fixture: fixture).value()
            return flaw?.applied(to: answer) ?? answer.text
        }
        guard let fixture else {
            return "Sandbox answer to: \(subject)\n\nNo model was asked, and nothing was paid."
        }
        return ([fixture.summary] + fixture.files.map { "\($0.path):\n```\n\($0.content)\n```" })
            .joined(separator: "\n\n")
    }

    /// The first line of what is asked, without a block of context in front of it, in at most 120 characters.
    static func subject(of question: String) -> String {
        var lines = question.split(whereSeparator: \.isNewline)
        if lines.first?.hasPrefix("<") == true, let end = lines.lastIndex(where: { $0.hasPrefix("</") }) {
            lines = Array(lines[(end + 1)...])
        }
        let line = lines.first { $0.contains { !$0.isWhitespace } } ?? "an empty prompt"
        let trimmed = line.drop(while: \.isWhitespace)
        return trimmed.count > 120 ? "\(trimmed.prefix(119))…" : String(trimmed)
    }
}
