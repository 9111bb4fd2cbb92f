import Domain

/// The files of an AI step's answer: what may be in them, checked before the answer counts.
enum AnswerFiles {
    static let maximumFiles = 500
    static let maximumFileBytes = 1_048_576
    static let maximumBytes = 8_388_608

    /// What is wrong with the answer's files, a sentence each, so that the model can mend it; at most
    /// `AnswerSchema.maximumFaults`.
    static func faults(in answer: JSON) -> [String] {
        let files = answer["files"]?.arrayValue ?? []
        guard files.count <= maximumFiles else {
            return ["/files has \(files.count) files; at most \(maximumFiles) are allowed"]
        }
        var faults: [String] = []
        var total = 0
        var seen: [String: String] = [:]
        for (index, file) in files.enumerated() where faults.count < AnswerSchema.maximumFaults {
            guard let path = file["path"]?.stringValue, let content = file["content"]?.stringValue else { continue }
            let shown = "/files/\(index) \"\(path.prefix(120))\""
            if let fault = SourcePath.fault(in: path) { faults.append("\(shown): the path \(fault)") }
            if let other = seen.updateValue(path, forKey: SourcePath.folded(path)) {
                faults.append(
                    "\(shown): " + (other == path ? "the path is there twice" : "it differs from \(other) only in case")
                )
            }
            if content.utf8.contains(0) {
                faults.append("\(shown): the content has a NUL character; only text is taken")
            }
            if content.utf8.count > maximumFileBytes {
                faults.append("\(shown): the content is longer than \(maximumFileBytes) bytes")
            }
            total += content.utf8.count
        }
        if total > maximumBytes {
            faults.append("/files have \(total) bytes together; at most \(maximumBytes) are allowed")
        }
        for path in seen.keys.sorted() where faults.count < AnswerSchema.maximumFaults {
            if let folder = parents(of: path).first(where: { seen[$0] != nil }) {
                faults.append(
                    "/files: \"\(seen[folder] ?? folder)\" is a file, and a folder of \"\(seen[path] ?? path)\"")
            }
        }
        return faults
    }

    /// `a/b/c` has the parents `a` and `a/b`.
    private static func parents(of path: String) -> [String] {
        let names = path.split(separator: "/")
        return (1..<max(1, names.count)).map { names.prefix($0).joined(separator: "/") }
    }
}

extension JSON {
    /// The paths of a result's files.
    var filePaths: [String] { (self["files"]?.arrayValue ?? []).compactMap { $0["path"]?.stringValue } }

    private var isFile: Bool { self["path"]?.stringValue != nil && self["content"]?.stringValue != nil }

    /// The value with the files of every result in it replaced by their paths: a provider gets them as an archive.
    var withoutFileContents: JSON {
        switch self {
        // Also where a reference was to the files alone.
        case .array(let elements) where elements.allSatisfy(\.isFile): return .array(elements.compactMap { $0["path"] })
        case .array(let elements): return .array(elements.map(\.withoutFileContents))
        case .object(let object):
            var stripped = JSONObject()
            for member in object.members { stripped[member.key] = member.value.withoutFileContents }
            return .object(stripped)
        default: return self
        }
    }
}
