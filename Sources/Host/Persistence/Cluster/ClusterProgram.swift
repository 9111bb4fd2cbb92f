import Glibc
import Processes

/// The programs that make and serve a private cluster. Call it on the cluster's thread: it blocks, and a child with a
/// parent-death signal dies with the thread that started it.
enum ClusterProgram {
    /// Longer outputs are cut off: they are for messages.
    private static let outputLimit = 262_144
    private static let environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
    ]

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - input: a file's path.
    ///   - output: a descriptor for its output and its errors.
    static func start(
        _ arguments: [String], input: String = "/dev/null", output: Int32
    ) throws(ClusterError) -> ChildProcess {
        let source = Descriptor(unsafe open(input, O_RDONLY | O_CLOEXEC))
        guard source.isOpen else { throw FileSystem.failure("read", input) }
        do throws(SystemError) {
            return try ChildProcess(
                Program(arguments, environment: environment), input: source.value, output: output, errors: output)
        } catch { throw ClusterError(.startup, "\(error)") }
    }

    /// Runs a program to its end. Answers how it ended and what it wrote.
    static func run(
        _ arguments: [String], input: String = "/dev/null"
    ) throws(ClusterError) -> (status: ExitStatus, output: String) {
        let pipe: Pipe
        do throws(SystemError) { pipe = try Pipe() } catch { throw ClusterError(.startup, "\(error)") }
        let child = try start(arguments, input: input, output: pipe.writing.value)
        pipe.writing.close()
        var output: [UInt8] = []
        while true {
            guard let chunk = pipe.reading.read() else { continue }
            if chunk.isEmpty { break }
            if output.count < outputLimit { output += chunk }
        }
        return (child.wait(), String(decoding: output, as: UTF8.self))
    }
}
