import ArgumentParser
import Domain

/// Faults in what the operator wrote; printed as they are, exit code 2.
struct ValidationFailure: Error, CustomStringConvertible {
    let description: String
    init(_ faults: Diagnostics) { description = faults.description }
}

/// Why the program cannot do what it was asked, in one sentence with the way out.
struct StartFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs a command's body; a failure is told on standard error in its own words, without a stack or a type name.
func reportingFailures(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let exit as ExitCode {
        throw exit
    } catch let failure as ValidationFailure {
        Console.error("\(failure)")
        throw ExitCode(2)
    } catch {
        Console.error("aibackend: \(error)")
        throw ExitCode(1)
    }
}
