import Domain
import Logging

/// What all instances share.
struct HostEnvironment: Sendable {
    let transport: any HTTPTransport
    let blobs: any BlobStore
    let clock: any WallClock
    let logger: Logger
    let timers: TimerThread
    /// How long a plugin has to complete a call it was told to stop.
    let grace: Duration
    /// How long a plugin may take to be loaded, created and destroyed.
    let patience: Duration
}
