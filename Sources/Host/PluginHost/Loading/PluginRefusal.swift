/// Why a plugin was not loaded: which file, what was found and what was expected, and the way out. The host goes on
/// without it.
public struct PluginRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// No readable file at the path.
        case notFound = "not_found"
        /// A file that is no shared library of this machine.
        case notALibrary = "not_a_library"
        /// A library that is no plugin.
        case notAPlugin = "not_a_plugin"
        /// A plugin of another version of the ABI.
        case incompatible
        /// The manifest is malformed or contradicts the library.
        case manifest
        case configuration
        /// A required secret is absent.
        case secret
        /// Its id or a step it serves is taken.
        case duplicate
        /// The plugin itself would not start.
        case failed
    }

    public let code: Code
    public let path: String
    /// What was found and what was expected.
    public let reason: String
    /// What to do about it.
    public let fix: String

    init(_ code: Code, _ path: String, _ reason: String, fix: String) {
        self.code = code
        self.path = path
        self.reason = reason
        self.fix = fix
    }

    public var description: String { "cannot load the plugin \(path): \(reason). \(fix)" }
}
