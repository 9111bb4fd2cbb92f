public import Domain

/// Good answers, ready to be given where the prompt calls for one of them.
///
/// The first fixture that matches is used. What a request's schema asks for beyond a fixture is made from the schema,
/// and so is the whole answer where none matches.
public struct AnswerFixtures: Sendable {
    /// What a prompt must have for a fixture to be used.
    public enum Match: Sendable, Hashable {
        case contains(String)
        /// A regular expression that is found anywhere in the prompt. In the answer's texts `⟦name⟧` stands for what
        /// its group `(?<name>…)` captured; see `AnswerMarker`.
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
        /// What markers stand for where the match captures nothing under their name.
        public let values: [String: String]

        public init(
            match: Match, summary: String, files: [File] = [], fields: JSONObject = JSONObject(),
            values: [String: String] = [:]
        ) {
            self.match = match
            self.summary = summary
            self.files = files
            self.fields = fields
            self.values = values
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
            if let captures = fixture.match.captures(in: prompt) { return fixture.filled(with: captures) }
        }
        return nil
    }
}

extension AnswerFixtures.Match {
    /// What a pattern begins with before its first special character; empty where it has alternatives.
    var beginning: String {
        guard case .pattern(let pattern) = self, !pattern.contains("|") else { return "" }
        var beginning = pattern.prefix { !#"\.[]{}()*+?^$"#.contains($0) }
        // A quantifier belongs to the character in front of it.
        if let next = pattern.dropFirst(beginning.count).first, "*+?{".contains(next) { _ = beginning.popLast() }
        return String(beginning)
    }

    /// What the named groups captured, where the prompt matches.
    ///
    /// A prompt carries the files of the steps before, and a regular expression that is tried at each of their
    /// characters takes seconds. So its literal beginning is looked for first, as bytes.
    func captures(in prompt: String) -> [String: String]? {
        let pattern: String
        switch self {
        case .contains(let text):
            return prompt.firstRange(ofUTF8: text, from: prompt.startIndex) == nil ? nil : [:]
        case .pattern(let text): pattern = text
        }
        // Compiled at each use because a Regex is not Sendable; it compiled once in the initializer.
        let beginning = beginning
        if beginning.isEmpty {
            return (try? Regex(pattern)).flatMap { prompt.firstMatch(of: $0) }.map(Self.named)
        }
        guard var found = prompt.firstRange(ofUTF8: beginning, from: prompt.startIndex),
            let regex = try? Regex(pattern)
        else { return nil }
        while true {
            if let match = prompt[found.lowerBound...].prefixMatch(of: regex) { return Self.named(match) }
            guard let next = prompt.firstRange(ofUTF8: beginning, from: found.upperBound) else { return nil }
            found = next
        }
    }

    private static func named(_ match: Regex<AnyRegexOutput>.Match) -> [String: String] {
        var captures: [String: String] = [:]
        for element in match.output {
            if let name = element.name { captures[name] = String(element.substring ?? "") }
        }
        return captures
    }
}

extension AnswerFixtures.Fixture {
    /// The fixture with every marker replaced.
    fileprivate func filled(with captures: [String: String]) -> Self {
        let values = values.merging(captures) { $1 }
        func fill(_ value: JSON) -> JSON {
            switch value {
            case .string(let text): .string(AnswerMarker.fill(text, with: values))
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
            match: match, summary: AnswerMarker.fill(summary, with: values),
            files: files.map { file in
                AnswerFixtures.File(
                    path: file.path,
                    content: AnswerMarker.fill(file.content, with: values, isJSON: file.path.hasSuffix(".json")))
            },
            fields: fill(fields), values: values)
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
