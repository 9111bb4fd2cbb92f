import Domain
import Logging

/// What runs and steps work with; one value for the life of the engine.
struct EngineServices: Sendable {
    let dispatch: any Dispatch
    let ledger: any ExecutionLedger
    let pricing: any Pricing
    let clock: EngineClock
    let retry: RetryPolicy
    let logger: Logger
    /// A random number in 0…1.
    let jitter: @Sendable () -> Double
}
