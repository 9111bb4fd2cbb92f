public import Domain

/// Good answers, ready to be given where the prompt calls for one of them.
///
/// The first fixture that matches is used. What a request's schema asks for beyond a fixture is made from the schema,
/// and so is the whole answer where none matches.
public struct AnswerFixtures: Sendable {
    /// What a prompt must have for a fixture to be used.
    public enum Match: Sendable, Hashable {
        case contains(String)
        /// A regular expression that is found anywhere in the prompt. In the answer's texts `$1` to `$9` stand for
        /// what its groups captured.
        case pattern(String)
    }

    public struct File: Sendable, Hashable {
        public let path: String
        public let content: String

        public init(path: String, content: String) {
            self.path = path
            self.content = content
        }
    }

    public struct Fixture: Sendable, Hashable {
        public let match: Match
        public let summary: String
        public let files: [File]
        /// Further members of a structured answer.
        public let fields: JSONObject

        public init(match: Match, summary: String, files: [File] = [], fields: JSONObject = JSONObject()) {
            self.match = match
            self.summary = summary
            self.files = files
            self.fields = fields
        }
    }

    private let fixtures: [Fixture]

    /// No fixture: every answer is made from its request.
    public init() { fixtures = [] }

    /// - Throws: `SandboxError.invalidFixture` for a pattern that is no regular expression.
    public init(_ fixtures: [Fixture]) throws(SandboxError) {
        for case .pattern(let pattern) in fixtures.map(\.match) {
            do {
                _ = try Regex(pattern)
            } catch {
                throw .invalidFixture("\"\(pattern)\" is no regular expression: \(error)")
            }
        }
        self.fixtures = fixtures
    }

    func fixture(for prompt: String) -> Fixture? {
        for fixture in fixtures {
            switch fixture.match {
            case .contains(let text):
                if prompt.contains(text) { return fixture }
            case .pattern(let pattern):
                // Compiled at each use because a Regex is not Sendable; it compiled once in the initializer.
                guard let regex = try? Regex(pattern), let match = prompt.firstMatch(of: regex) else { continue }
                return fixture.filled(with: match.output.dropFirst().map { String($0.substring ?? "") })
            }
        }
        return nil
    }
}

extension AnswerFixtures.Fixture {
    /// The fixture with `$1` to `$9` replaced in every text.
    fileprivate func filled(with captures: [String]) -> Self {
        func fill(_ text: String) -> String {
            zip(1...9, captures).reduce(text) { $0.replacing("$\($1.0)", with: $1.1) }
        }
        func fill(_ value: JSON) -> JSON {
            switch value {
            case .string(let text): .string(fill(text))
            case .array(let elements): .array(elements.map { fill($0) })
            case .object(let object): .object(fill(object))
            default: value
            }
        }
        func fill(_ object: JSONObject) -> JSONObject {
            var filled = JSONObject()
            for member in object.members { filled[member.key] = fill(member.value) }
            return filled
        }
        return Self(
            match: match, summary: fill(summary),
            files: files.map { AnswerFixtures.File(path: $0.path, content: fill($0.content)) }, fields: fill(fields))
    }
}

extension AnswerFixtures {
    /// Reads fixtures from an array of objects: `contains` or `pattern`, `summary`, `files` (objects of `path` and
    /// `content`), `fields`.
    ///
    /// - Throws: `SandboxError.invalidFixture` with the place of the fault.
    public init(json: JSON) throws(SandboxError) {
        guard let list = json.arrayValue else { throw .invalidFixture("the fixtures must be an array") }
        var fixtures: [Fixture] = []
        for (index, element) in list.enumerated() {
            fixtures.append(try Self.fixture(element, at: index))
        }
        try self.init(fixtures)
    }

    private static func fixture(_ json: JSON, at index: Int) throws(SandboxError) -> Fixture {
        let match: Match
        switch (json["contains"]?.stringValue, json["pattern"]?.stringValue) {
        case (let text?, nil): match = .contains(text)
        case (nil, let pattern?): match = .pattern(pattern)
        default: throw .invalidFixture("[\(index)] needs either contains or pattern, a string")
        }
        guard let summary = json["summary"]?.stringValue else {
            throw .invalidFixture("[\(index)].summary must be a string")
        }
        var files: [File] = []
        for (place, file) in (json["files"]?.arrayValue ?? []).enumerated() {
            guard let path = file["path"]?.stringValue, let content = file["content"]?.stringValue else {
                throw .invalidFixture("[\(index)].files[\(place)] needs path and content, both strings")
            }
            files.append(File(path: path, content: content))
        }
        return Fixture(
            match: match, summary: summary, files: files, fields: json["fields"]?.objectValue ?? JSONObject())
    }
}
