import Domain
import Glibc
import Processes

/// A started git with its three pipes.
struct GitChild {
    let input: Descriptor
    let output: Descriptor
    let errors: Descriptor
    private let process: ChildProcess
    private let watch: ProcessWatch

    init(_ command: GitCommand, with git: GitExecutable, home: String) throws(SourceError) {
        let program = Program(
            [git.path] + command.arguments, environment: git.environment(home: home, version: command.version),
            in: command.repository)
        do throws(SystemError) {
            // Its own ends close with their pipes: not before it has them.
            let pipes = (input: try Pipe(), output: try Pipe(), errors: try Pipe())
            (input, output, errors) = (pipes.input.writing, pipes.output.reading, pipes.errors.reading)
            for descriptor in [input, output, errors] { descriptor.stopBlocking() }
            process = try withExtendedLifetime(pipes) { () throws(SystemError) in
                try ChildProcess(
                    program, input: pipes.input.reading.value, output: pipes.output.writing.value,
                    errors: pipes.errors.writing.value)
            }
            do throws(SystemError) { watch = try ProcessWatch(process.id) } catch {
                process.kill()
                process.wait()
                throw error
            }
        } catch {
            throw SourceError(.unavailable, "\(command.name): \(SystemError.text(error.code))")
        }
    }

    /// Ends it with its own children. Only before it was reaped: then the number is another's.
    func kill() { process.kill() }

    /// Waits for its end, and ends it at the deadline: it may have closed all that it writes to and go on.
    func reap(by deadline: Duration) -> ExitStatus {
        if !watch.waitForEnd(within: deadline - Monotonic.now) { kill() }
        return process.wait()
    }
}

/// Time that does not jump, since any fixed moment.
enum Monotonic {
    static var now: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
