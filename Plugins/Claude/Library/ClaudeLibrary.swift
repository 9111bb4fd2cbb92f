import ClaudePlugin
public import PluginKit

// The library's one exported symbol, in a module of its own: a program that links several plugins' sources, as the
// tests do, can have only one symbol of this name.
@c @implementation public func aib_plugin_entry(_: UInt32, _: UInt32) -> UnsafePointer<aib_entry>? {
    PluginEntry.make(Claude.self)
}
