/// Where a generated file may be: anywhere below the application's own folder, under a name that every system the
/// source is unpacked, cloned or deployed on takes for the same file.
public enum SourcePath {
    public static let maximumBytes = 512
    public static let maximumNameBytes = 200
    public static let maximumDepth = 32

    /// Why a model may not write a file of this path; nil where it may.
    public static func fault(in path: String) -> String? {
        guard !path.isEmpty else { return "is empty" }
        guard path.utf8.count <= maximumBytes else { return "is longer than \(maximumBytes) bytes" }
        guard !path.utf8.contains(UInt8(ascii: "\\")) else { return "has a backslash; folders are separated by /" }
        // A combining mark joins the slash before it: what is compared as text must be what file systems split.
        guard path.count(where: { $0 == "/" }) == path.utf8.count(where: { $0 == UInt8(ascii: "/") }) else {
            return "has a combining character behind a slash"
        }
        guard !path.hasPrefix("/"), path.wholeMatch(of: /[A-Za-z]:.*/) == nil else {
            return "is absolute; paths are relative to the application's folder"
        }
        guard path.unicodeScalars.allSatisfy({ isPlain($0) }) else {
            return "has a control, formatting or invisible character, or one of : * ? \" < > |"
        }
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        guard names.count <= maximumDepth else { return "is more than \(maximumDepth) folders deep" }
        for name in names {
            if let fault = fault(inName: name) { return fault }
        }
        return nil
    }

    private static func fault(inName name: Substring) -> String? {
        if name.isEmpty { return "has an empty folder name" }
        if name == "." || name == ".." { return "has the folder name \"\(name)\"; it must stay where it is" }
        if name.utf8.count > maximumNameBytes { return "has a name longer than \(maximumNameBytes) bytes" }
        if name.hasSuffix(".") || name.hasSuffix(" ") || name.hasPrefix(" ") {
            return "has a name that begins with a space or ends in a space or a dot"
        }
        // What git keeps for itself, in each spelling that a file system may take for it.
        let folded = folded(String(name))
        if folded == ".git" || folded.hasPrefix("git~") || folded == ".gitmodules" {
            return "has the name \"\(name)\", which belongs to git"
        }
        if isShortened(folded) { return "has the name \"\(name)\", which is another file's short name on Windows" }
        if devices.contains(String(folded.prefix { $0 != "." }.reversed().drop { $0 == " " }.reversed())) {
            return "has the name \"\(name)\", which is a device on Windows"
        }
        return nil
    }

    /// What two paths have in common that some file systems take for one: letters that have one capital are one, so
    /// that `ı` is `i` and `ſ` is `s`. Swift compares without regard to how accents are written.
    public static func folded(_ path: String) -> String { path.uppercased().lowercased() }

    /// `packag~1.jso` names `package.json` where file systems keep names of eight letters and three.
    private static func isShortened(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let base = parts.first, parts.count <= 2, base.utf8.count <= 8, parts.count == 1 || parts[1].count <= 3,
            let tilde = base.lastIndex(of: "~"), tilde > base.startIndex
        else { return false }
        let number = base[base.index(after: tilde)...]
        return !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
    }

    private static let devices = Set(
        ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
            + ["com", "lpt"].flatMap { port in "0123456789¹²³".map { "\(port)\($0)" } })

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: !":*?\"<>|".unicodeScalars.contains(scalar) && !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
