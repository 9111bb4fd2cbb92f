import Glibc

/// What the system answered instead of doing what it was asked for.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was asked for, in words.
    public let subject: String
    /// An `errno` value.
    public let code: Int32

    public init(_ subject: String, _ code: Int32) {
        self.subject = subject
        self.code = code
    }

    public var description: String { "\(subject): \(Self.text(code))" }

    /// The system's words for an `errno` value.
    public static func text(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
