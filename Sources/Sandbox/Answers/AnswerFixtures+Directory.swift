import Domain
import Foundation

extension AnswerFixtures {
    /// Files of one answer, and bytes of one file of the directory.
    public static let maximumFiles = 500
    public static let maximumFileBytes = 1_048_576

    /// Reads fixtures from a directory: one for each `<set>/<step>/answer.json`, sets and steps by their names.
    ///
    /// `answer.json` has `contains` or `pattern` and `summary`, and may have
    /// - `fields`: further members of a structured answer;
    /// - `field_files`: members whose text is that of a file, named by its path below the directory;
    /// - `values`: what markers stand for that the pattern has no group for;
    /// - `files_from`: other steps, as `<set>/<step>`, whose files belong to this answer too.
    ///
    /// The answer's files are those below `files` beside it. A folder without `answer.json` lends its files to others.
    /// Names that begin with a dot and what Python leaves behind (`__pycache__`) are passed over. Blocks while it reads.
    ///
    /// - Throws: `SandboxError.invalidFixture` with the file and its fault.
    public init(directory: String) throws(SandboxError) {
        let reader = AnswerDirectory(root: directory)
        var fixtures: [Fixture] = []
        for set in try reader.folders(in: "") {
            for step in try reader.folders(in: set) {
                if let fixture = try reader.fixture("\(set)/\(step)") { fixtures.append(fixture) }
            }
        }
        try self.init(fixtures)
    }
}

/// One reading of a directory of answers. Paths are relative to its root, with forward slashes.
private struct AnswerDirectory {
    private static let members: Set<String> = [
        "contains", "pattern", "summary", "fields", "field_files", "values", "files_from",
    ]
    private static let maximumDepth = 16

    let root: String

    /// The folders in a folder, sorted.
    func folders(in folder: String) throws(SandboxError) -> [String] {
        var folders: [String] = []
        for name in try names(in: folder) where try kind(of: folder.isEmpty ? name : "\(folder)/\(name)") == .folder {
            folders.append(name)
        }
        return folders
    }

    /// The answer of one step; nil where the step only lends its files.
    func fixture(_ step: String) throws(SandboxError) -> AnswerFixtures.Fixture? {
        let place = "\(step)/answer.json"
        guard try names(in: step).contains("answer.json") else { return nil }
        let object = try object(at: place)
        let summary = try text("summary", of: object, at: place)
        let match: AnswerFixtures.Match
        switch (object["contains"]?.stringValue, object["pattern"]?.stringValue) {
        case (let text?, nil) where !text.isEmpty: match = .contains(text)
        case (nil, let pattern?) where !pattern.isEmpty: match = .pattern(pattern)
        default: throw .invalidFixture("\(place): needs either contains or pattern, a string that is not empty")
        }
        var values: [String: String] = [:]
        for member in try members("values", of: object, at: place) { values[member.name] = member.text }
        var fields = object["fields"]?.objectValue ?? JSONObject()
        for member in try members("field_files", of: object, at: place) {
            if let fault = SourcePath.fault(in: member.text) {
                throw .invalidFixture("\(place): the path \"\(member.text)\" \(fault)")
            }
            fields[member.name] = .string(try read(member.text))
        }
        let fixture = AnswerFixtures.Fixture(
            match: match, summary: summary, files: try files(of: step, object, at: place), fields: fields,
            values: values)
        try check(fixture, at: place)
        return fixture
    }

    private func files(
        of step: String, _ object: JSONObject, at place: String
    ) throws(SandboxError) -> [AnswerFixtures.File] {
        var sources = try names(in: step).contains("files") ? [step] : []
        if let lenders = object["files_from"] {
            guard let list = lenders.arrayValue?.map(\.stringValue) else {
                throw .invalidFixture("\(place): files_from must be an array of strings")
            }
            for lender in list {
                guard let lender, lender.split(separator: "/").count == 2, SourcePath.fault(in: lender) == nil,
                    lender != step
                else {
                    throw .invalidFixture("\(place): files_from names other steps, each as \"set/step\"")
                }
                sources.append(lender)
            }
        }
        var files: [AnswerFixtures.File] = []
        for source in sources { try collect("\(source)/files", below: "", into: &files, depth: 0) }
        var seen: Set<String> = []
        for file in files where !seen.insert(SourcePath.folded(file.path)).inserted {
            throw .invalidFixture("\(place): two of its files have the path \(file.path)")
        }
        return files
    }

    private func collect(
        _ folder: String, below prefix: String, into files: inout [AnswerFixtures.File], depth: Int
    ) throws(SandboxError) {
        guard depth < Self.maximumDepth else { throw .invalidFixture("\(folder): too many folders deep") }
        for name in try names(in: folder) {
            let place = "\(folder)/\(name)"
            let path = prefix + name
            switch try kind(of: place) {
            case .folder: try collect(place, below: path + "/", into: &files, depth: depth + 1)
            case .file:
                if let fault = SourcePath.fault(in: path) { throw .invalidFixture("\(place): the path \(fault)") }
                files.append(AnswerFixtures.File(path: path, content: try read(place)))
            }
            guard files.count <= AnswerFixtures.maximumFiles else {
                throw .invalidFixture("\(folder): an answer has at most \(AnswerFixtures.maximumFiles) files")
            }
        }
    }

    /// Every marker must be given by a group of the pattern or by `values`: a misspelt one would end up in a program.
    private func check(_ fixture: AnswerFixtures.Fixture, at place: String) throws(SandboxError) {
        var known = Set(fixture.values.keys)
        var regex: Regex<AnyRegexOutput>?
        if case .pattern(let pattern) = fixture.match {
            do { regex = try Regex(pattern) } catch {
                throw .invalidFixture("\(place): \"\(pattern)\" is no regular expression: \(error)")
            }
        }
        func check(_ text: String, in name: String) throws(SandboxError) {
            for marker in AnswerMarker.names(in: text).sorted() where !known.contains(marker) {
                guard regex?.contains(captureNamed: marker) == true else {
                    throw .invalidFixture(
                        "\(place): ⟦\(marker)⟧ in \(name) is neither a group of the pattern nor one of the values")
                }
                known.insert(marker)
            }
        }
        try check(fixture.summary, in: "the summary")
        try check(JSON.object(fixture.fields).text, in: "the fields")
        for file in fixture.files { try check(file.content, in: file.path) }
    }

    private func object(at place: String) throws(SandboxError) -> JSONObject {
        let json: JSON
        do { json = try JSON.parse(Array(try read(place).utf8)) } catch let error as SandboxError { throw error } catch
        {
            throw .invalidFixture("\(place): \(error)")
        }
        guard let object = json.objectValue else { throw .invalidFixture("\(place): must be an object") }
        for member in object.members where !Self.members.contains(member.key) {
            throw .invalidFixture("\(place): \"\(member.key)\" is not a member of an answer")
        }
        return object
    }

    private func text(_ name: String, of object: JSONObject, at place: String) throws(SandboxError) -> String {
        guard let text = object[name]?.stringValue else { throw .invalidFixture("\(place): \(name) must be a string") }
        return text
    }

    /// An object of strings; empty where there is none.
    private func members(
        _ name: String, of object: JSONObject, at place: String
    ) throws(SandboxError) -> [(name: String, text: String)] {
        guard let value = object[name] else { return [] }
        guard let inner = value.objectValue else { throw .invalidFixture("\(place): \(name) must be an object") }
        var members: [(String, String)] = []
        for member in inner.members {
            members.append((member.key, try text(member.key, of: inner, at: "\(place): \(name)")))
        }
        return members
    }
}

// The file system.
extension AnswerDirectory {
    fileprivate enum Kind { case file, folder }

    private func absolute(_ place: String) -> String { place.isEmpty ? root : "\(root)/\(place)" }

    /// The names in a folder, sorted, without what editors and interpreters leave behind.
    fileprivate func names(in folder: String) throws(SandboxError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: absolute(folder))
                .filter { !$0.hasPrefix(".") && $0 != "__pycache__" }.sorted()
        } catch {
            throw .invalidFixture("\(absolute(folder)): the folder cannot be read")
        }
    }

    /// Links are refused: what an answer holds is below its directory.
    fileprivate func kind(of place: String) throws(SandboxError) -> Kind {
        let attributes = try? FileManager.default.attributesOfItem(atPath: absolute(place))
        switch attributes?[.type] as? FileAttributeType {
        case .typeRegular?: return .file
        case .typeDirectory?: return .folder
        default: throw .invalidFixture("\(place): is neither a file nor a folder")
        }
    }

    fileprivate func read(_ place: String) throws(SandboxError) -> String {
        let limit = AnswerFixtures.maximumFileBytes
        guard try kind(of: place) == .file, let file = FileHandle(forReadingAtPath: absolute(place)) else {
            throw .invalidFixture("\(place): the file cannot be read")
        }
        defer { try? file.close() }
        guard let content = try? file.read(upToCount: limit + 1) ?? Data() else {
            throw .invalidFixture("\(place): the file cannot be read")
        }
        guard content.count <= limit else { throw .invalidFixture("\(place): is longer than \(limit) bytes") }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .invalidFixture("\(place): is not UTF-8")
        }
        return text
    }
}
