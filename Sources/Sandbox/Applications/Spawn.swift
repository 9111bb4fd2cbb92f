import Glibc

/// Starts programs with three descriptors and nothing else of the host's.
enum Spawn {
    /// Starts a program with default signals and an empty environment but for a fixed search path.
    ///
    /// A child with a parent-death signal dies with the thread that calls this.
    ///
    /// - Returns: the process, which is the caller's to wait for.
    /// - Throws: the error number.
    static func start(
        _ arguments: [String], input: Int32, output: Int32, errors: Int32
    ) throws(SpawnFailure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        // What the host opened closes on exec; these copies do not.
        for (descriptor, number) in [(input, Int32(0)), (output, 1), (errors, 2)] {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var process: pid_t = 0
        let program = arguments[0]
        let code = unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings([ApplicationEnvironment.searchPath]) { environment in
                unsafe posix_spawnp(&process, program, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SpawnFailure(program: arguments[0], code: code) }
        return process
    }

    /// Waits for a child's end: its exit status, or 128 and the signal that ended it.
    static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            if errno != EINTR { return -1 }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    /// Both ends of a pipe that no other child inherits: to read from, to write to.
    static func pipe() throws(SpawnFailure) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw SpawnFailure(program: "a pipe", code: errno) }
        // A child started in between by another thread has them too, until the runner closes what is not its own.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Lends a null-terminated array of C strings for the time of the call.
    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var pointers = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe pointers.forEach { unsafe free($0) } }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeMutableBufferPointer { list in
            // An array that holds at least the terminator has a base address.
            unsafe body(list.baseAddress.unsafelyUnwrapped)
        }
    }
}

/// A program that could not be started.
struct SpawnFailure: Error, CustomStringConvertible {
    let program: String
    let code: Int32

    var description: String { "\(program) could not be started: \(systemErrorText(code))" }
}

/// The system's words for an `errno` value.
func systemErrorText(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
}
