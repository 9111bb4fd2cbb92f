// JSON values are part of every plugin's signatures, and the entry point is declared with the ABI's own types:
// whoever imports PluginKit has both.
@_exported public import PluginABI
@_exported public import WireJSON

/// One plugin: a provider of operations that reaches the outside world through its host alone.
///
/// The library that holds it exports one symbol, in one line of the plugin's source:
///
///     @c @implementation public func aib_plugin_entry(_: UInt32, _: UInt32) -> UnsafePointer<aib_entry>? {
///         PluginEntry.make(MyPlugin.self)
///     }
///
/// Every call runs on one thread that belongs to the instance, so a plugin holds no lock for its own state as long
/// as it starts no thread. Work belongs in the structure of `call(_:)`: a bare `Task {}` would leave that thread.
public protocol Plugin: Sendable {
    /// The bytes of `plugin.json`, the same as in the file that is shipped beside the library.
    static var manifest: [UInt8] { get }

    /// Makes one instance. Of the host's services only the log may be used here.
    ///
    /// - Parameter configuration: an object, checked against the manifest's `config` and with its defaults filled in.
    /// - Throws: `PluginError`, which the operator sees as the reason why the plugin does not start.
    init(configuration: JSON, host: Host) throws

    /// Carries out one call. Cancelling is cooperative: the host cancels the task and waits two seconds.
    ///
    /// - Returns: the operation's result.
    /// - Throws: `PluginError`; anything else reaches the host as an internal error.
    func call(_ call: Call) async throws -> JSON

    /// Why calls would fail now, or nil. Must return at once.
    func health() -> PluginError?
}

extension Plugin {
    public func health() -> PluginError? { nil }
}
