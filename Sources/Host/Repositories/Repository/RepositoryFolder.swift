import Domain
import Files
import Glibc
import Processes

/// The repositories of one execution on disk: `<digest>.git` for each state of its source that somebody asked for
/// and still reads. All calls block.
struct RepositoryFolder: Sendable {
    let path: String

    private static let configuration = """
        [core]
        \trepositoryformatversion = 0
        \tfilemode = true
        \tbare = true
        \thooksPath = /dev/null
        [gc]
        \tauto = 0

        """
    /// Generated files say nothing about how git packs them: the archive has every file as it was written.
    private static let attributes =
        "* -text -eol -ident -filter -export-ignore -export-subst -working-tree-encoding\n"

    /// In the order in which they can be made.
    private static let folders = [
        "", "/info", "/objects", "/objects/info", "/objects/pack", "/refs", "/refs/heads", "/refs/tags",
    ]

    func repository(_ digest: String) -> String { "\(path)/\(digest).git" }

    /// Makes an empty bare repository under a name of its own, for `publish`.
    func makeDraft(_ name: String) throws(SourceError) -> String {
        let draft = "\(path)/\(name)"
        try Self.makeDirectory(path)
        for folder in Self.folders {
            try Self.makeDirectory(draft + folder)
        }
        try Self.write("ref: refs/heads/\(SourceHistory.branch)\n", to: draft + "/HEAD")
        try Self.write(Self.configuration, to: draft + "/config")
        try Self.write(Self.attributes, to: draft + "/info/attributes")
        return draft
    }

    /// Gives a finished draft its name.
    func publish(_ draft: String, as digest: String) throws(SourceError) {
        guard unsafe rename(draft, repository(digest)) == 0 else { throw .system("rename", errno) }
    }

    func holds(_ digest: String) -> Bool { unsafe access(repository(digest) + "/HEAD", R_OK) == 0 }

    /// Removes all but these repositories: states that are over, and what a crash left.
    func removeAll(but kept: Set<String>) {
        let names = Set(kept.map { $0 + ".git" })
        for name in FileTree.names(in: path) where !names.contains(name) { FileTree.remove("\(path)/\(name)") }
    }

    static func makeDirectory(_ path: String) throws(SourceError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("mkdir \(path)", errno) }
    }

    private static func write(_ text: String, to path: String) throws(SourceError) {
        let file = Descriptor(unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        guard file.isOpen, file.write(Array(text.utf8), from: 0) == text.utf8.count else {
            throw .system("write \(path)", errno)
        }
    }
}

extension SourceError {
    /// What the system refused to do, by the `errno` value.
    fileprivate static func system(_ call: String, _ code: Int32) -> SourceError {
        SourceError(.unavailable, "\(SystemError(call, code))")
    }
}
