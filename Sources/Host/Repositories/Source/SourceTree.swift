import Domain

/// The files of an application, merged from what its steps wrote.
struct SourceTree: Sendable, Hashable {
    /// Ordered by the bytes of their paths.
    let files: [SourceFile]
    /// Which file of which step was replaced by another step's.
    let remarks: [String]

    /// For all contributions together, so that neither an archive nor a history grows without bound.
    static let maximumFiles = 5_000
    static let maximumBytes = 33_554_432
    /// Further remarks are counted only.
    static let maximumRemarks = 100

    /// Merges contributions in their order: a later step's file replaces an earlier step's of the same path.
    ///
    /// - Throws: `SourceError` of code `conflict` where no tree can hold them all, on every system it may be unpacked
    ///   on.
    init(merging contributions: [SourceContribution]) throws(SourceError) {
        try Self.checkSize(contributions)
        var merge = SourceMerge()
        for contribution in contributions {
            for file in contribution.files { try merge.add(file, of: contribution.step) }
        }
        files = merge.files
        remarks = merge.remarks
    }

    private static func checkSize(_ contributions: [SourceContribution]) throws(SourceError) {
        var count = 0
        var bytes = 0
        for contribution in contributions {
            count += contribution.files.count
            bytes += contribution.files.reduce(0) { $0 + $1.content.utf8.count }
            guard count <= maximumFiles, bytes <= maximumBytes else {
                throw SourceError(
                    .conflict,
                    "with \"\(contribution.step)\" the steps have written more than \(maximumFiles) files or "
                        + "\(maximumBytes) bytes")
            }
        }
    }
}

/// The merge under way.
private struct SourceMerge {
    private struct Entry {
        var file: SourceFile
        var step: String
    }

    private struct Folder {
        let path: String
        let step: String
    }

    /// Keyed by what some file systems take for one path; so are the folders.
    private var entries: [String: Entry] = [:]
    private var folders: [String: Folder] = [:]
    private var noted: [String] = []
    private var noteCount = 0

    var files: [SourceFile] {
        entries.values.map(\.file).sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    var remarks: [String] {
        noteCount > noted.count ? noted + ["and \(noteCount - noted.count) more files were replaced"] : noted
    }

    mutating func add(_ file: SourceFile, of step: String) throws(SourceError) {
        if let fault = SourcePath.fault(in: file.path) {
            throw SourceError(.conflict, "\"\(file.path.prefix(120))\" of \"\(step)\": the path \(fault)")
        }
        let key = SourcePath.folded(file.path)
        if let folder = folders[key] {
            throw Self.clash(file: file.path, of: step, folder: folder.path, of: folder.step)
        }
        for parent in Self.parents(of: file.path) {
            let folded = SourcePath.folded(parent)
            if let entry = entries[folded] {
                throw Self.clash(file: entry.file.path, of: entry.step, folder: parent, of: step)
            }
            if folders[folded] == nil { folders[folded] = Folder(path: parent, step: step) }
        }
        if let earlier = entries[key] { try note(earlier, replacedBy: file, of: step) }
        entries[key] = Entry(file: file, step: step)
    }

    private mutating func note(_ earlier: Entry, replacedBy file: SourceFile, of step: String) throws(SourceError) {
        // Strings that look alike are equal even where their bytes, and so their files, are not the same.
        guard earlier.file.path.utf8.elementsEqual(file.path.utf8) else {
            throw SourceError(
                .conflict,
                "\"\(earlier.file.path)\" of \"\(earlier.step)\" and \"\(file.path)\" of \"\(step)\" are one file on "
                    + "some systems: they differ only in case or in how their characters are written")
        }
        guard earlier.file.content != file.content else { return }
        noteCount += 1
        if noted.count < SourceTree.maximumRemarks {
            noted.append("\(file.path) of \"\(earlier.step)\" was replaced by \"\(step)\"")
        }
    }

    private static func clash(
        file: String, of writer: String, folder: String, of other: String
    ) -> SourceError {
        SourceError(
            .conflict, "\"\(file)\" is a file of \"\(writer)\", and \"\(folder)\" is a folder of \"\(other)\"")
    }

    /// `a/b/c` has the parents `a` and `a/b`.
    private static func parents(of path: String) -> [String] {
        path.indices.filter { path[$0] == "/" }.map { String(path[..<$0]) }
    }
}
