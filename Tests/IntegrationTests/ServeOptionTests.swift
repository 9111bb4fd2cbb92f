import Testing

@testable import App

/// Options of `aibackend serve` that are refused before anything starts.
@Suite struct ServeOptionTests {
    @Test(arguments: [
        (["--sandbox-latency", "5"], "--sandbox-latency goes with --sandbox only"),
        (["--sandbox", "--sandbox-latency", "600001"], "it may be 0 to 600000 milliseconds"),
    ])
    func aLatencyIsForTheSandboxAndBounded(arguments: [String], complaint: String) throws {
        let run = try Program.run(["serve"] + arguments)
        #expect(run.status == 64 && run.error.contains(complaint))
    }

    @Test func aBoundThatIsNoneIsRefused() throws {
        for name in ["LIMITS_EXECUTIONS_PER_USER", "LIMITS_EXECUTIONS", "LIMITS_CONNECTIONS"] {
            let run = try Program.run(["config", "check"], environment: [name: "0"])
            #expect(run.status != 0 && run.error.contains("must be a whole number from 1 to 1000000"))
        }
    }
}
