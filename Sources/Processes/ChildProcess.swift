import CSpawn
public import Glibc

/// A program that this process has started. It leads a session of its own: a terminal's interrupt reaches this process
/// alone, and the child can be ended with its own children.
///
/// Starting and waiting block: call them on an owned thread. A child that asks for a signal at its parent's death gets
/// it with the end of the thread that started it.
public struct ChildProcess: Sendable {
    /// Its number, which may be another's once somebody has waited for its end.
    public let id: pid_t

    /// Starts a program with default signals and no descriptors but these.
    public init(_ program: Program, input: Int32, output: Int32, errors: Int32) throws(SystemError) {
        var id: pid_t = 0
        let code = unsafe withCStrings(program.arguments) { arguments in
            unsafe withCStrings(program.environment) { environment in
                unsafe aib_spawn(arguments, environment, program.directory, [input, output, errors], &id)
            }
        }
        guard code == 0 else { throw SystemError("\(program.arguments[0]) could not be started", code) }
        self.id = id
    }

    /// Sends a signal to it alone.
    public func signal(_ signal: Int32) { _ = Glibc.kill(id, signal) }

    /// Ends it with its own children.
    public func kill() { _ = Glibc.kill(-id, SIGKILL) }

    /// Blocks until it has ended. Its number stays its own until `wait`.
    public func waitUntilEnded() {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Blocks until it has ended, and lets its number go. To be called once.
    @discardableResult
    public func wait() -> ExitStatus {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 {
            if errno != EINTR { return .unknown }
        }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }
}

/// How a process ended.
public enum ExitStatus: Sendable, Hashable {
    case exited(Int32)
    /// By a signal, of this number.
    case signalled(Int32)
    /// Somebody else has waited for it.
    case unknown

    public var isSuccess: Bool { self == .exited(0) }

    /// As shells have it: the exit status, or 128 and the signal's number; -1 where it is not known.
    public var code: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        case .unknown: -1
        }
    }
}

/// Lends C an array of strings with a null at its end.
private func withCStrings(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Int32) -> Int32 {
    let copies = unsafe strings.map { unsafe UnsafePointer(strdup($0)) } + [nil]
    defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
    return unsafe copies.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return EINVAL }
        return unsafe body(base)
    }
}
