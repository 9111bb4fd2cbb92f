import Glibc
import PluginKit

/// Finds the plugins that the package builds beside the tests. They are loaded and not linked, as a host does it: a
/// program can have one entry symbol, and one plugin in its copy of PluginKit.
enum PluginLibrary {
    /// Where the build has put this program and the plugins.
    private static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    }()

    /// The plugin's table, which is never freed: the library stays loaded.
    @unsafe static func provider(of library: String) -> UnsafePointer<aib_provider> {
        let path = products + "/lib\(library).so"
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            preconditionFailure(unsafe dlerror().map { unsafe String(cString: $0) } ?? "\(path) does not load")
        }
        guard let symbol = unsafe dlsym(handle, "aib_plugin_entry") else {
            preconditionFailure("\(path) has no entry")
        }
        typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafePointer<aib_entry>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let table = unsafe entry(AIB_ABI_MAJOR, AIB_ABI_MINOR), unsafe table.pointee.magic == AIB_MAGIC,
            let interface = unsafe table.pointee.get_interface(AIB_IF_PROVIDER)
        else { preconditionFailure("\(path) has no entry that fits this ABI") }
        return unsafe interface.assumingMemoryBound(to: aib_provider.self)
    }
}
