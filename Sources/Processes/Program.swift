/// A program to start with all that it is given: nothing else of this process reaches it.
public struct Program: Sendable, Hashable {
    /// The program itself first, by its path or by a name that this process's `PATH` leads to.
    public let arguments: [String]
    /// Each as `NAME=value`.
    public let environment: [String]
    /// Where it starts.
    public let directory: String

    /// - Precondition: there is a first argument.
    public init(_ arguments: [String], environment: [String], in directory: String = "/") {
        precondition(!arguments.isEmpty, "a program without a name")
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }
}
