import Domain
import Glibc
import PluginABI

/// A plugin's library, loaded and found compatible; never unloaded, for code and metadata of a Swift library must
/// outlive every use of them.
///
/// Unchecked: the pointers lead to the library's static tables.
@safe struct PluginLibrary: @unchecked Sendable {
    let image: LibraryImage
    let manifest: PluginManifest
    let provider: aib_provider

    static func parseManifest(
        _ bytes: [UInt8], file: String, of path: String
    ) throws(PluginRefusal) -> PluginManifest {
        do throws(Diagnostics) {
            return try PluginManifest(parsing: bytes, file: file)
        } catch {
            throw PluginRefusal(
                .manifest, path, "its manifest is not acceptable:\n\(error)\n",
                fix: "Correct plugin.json and build the plugin again.")
        }
    }

    /// Loads the library and shakes hands. Runs the library's initialisers: call it on a thread that may hang.
    ///
    /// - Parameter sidecar: what the embedded manifest must be equal to.
    init(_ image: LibraryImage, sidecar: (path: String, bytes: [UInt8])?) throws(PluginRefusal) {
        let path = image.path
        guard let handle = unsafe dlopen(image.loaderPath, RTLD_NOW | RTLD_LOCAL) else {
            let words = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
            throw PluginRefusal(
                .notALibrary, path, "the dynamic loader says: \(words.replacing(image.loaderPath, with: path))",
                fix: "Build it as a shared library, with what it needs linked in or installed.")
        }
        guard let symbol = unsafe dlsym(handle, "aib_plugin_entry") else {
            throw PluginRefusal(
                .notAPlugin, path, "it is a shared library, but does not export aib_plugin_entry",
                fix: "Export that symbol as aib_plugin.h declares it.")
        }
        typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafePointer<aib_entry>?
        let function = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let entry = unsafe function(AIB_ABI_MAJOR, AIB_ABI_MINOR) else {
            throw PluginRefusal(
                .incompatible, path, "it refuses a host of ABI \(Self.hostVersion)",
                fix: "Use a version of the plugin that was built for ABI \(Self.hostVersion).")
        }
        let embedded = try unsafe Self.checkedManifest(entry, path)
        if let sidecar, sidecar.bytes != embedded {
            throw PluginRefusal(
                .manifest, path,
                "the file \(sidecar.path) (\(sidecar.bytes.count) bytes) differs from the manifest in the library "
                    + "(\(embedded.count) bytes)",
                fix: "Install the two files of one build together.")
        }
        manifest = try Self.parseManifest(embedded, file: "plugin.json", of: path)
        try unsafe Self.compare(manifest, entry.pointee, path)
        provider = try unsafe Self.provider(entry.pointee, path)
        self.image = image
    }

    private static let hostVersion = "\(AIB_ABI_MAJOR).\(AIB_ABI_MINOR)"

    /// The handshake, from what can never change to what may: magic, major, minor, size, pointers, manifest.
    private static func checkedManifest(
        _ pointer: UnsafePointer<aib_entry>, _ path: String
    ) throws(PluginRefusal) -> [UInt8] {
        guard unsafe UInt(bitPattern: pointer) % UInt(MemoryLayout<aib_entry>.alignment) == 0 else {
            throw PluginRefusal(
                .notAPlugin, path, "its entry is not aligned as aib_entry is",
                fix: "Return the address of a static aib_entry.")
        }
        let magic = unsafe pointer.pointee.magic
        guard magic == AIB_MAGIC else {
            throw PluginRefusal(
                .notAPlugin, path,
                "its entry's magic is 0x\(String(magic, radix: 16)), not 0x\(String(AIB_MAGIC, radix: 16))",
                fix: "Fill in AIB_MAGIC of aib_plugin.h.")
        }
        let (major, minor, minimum) = unsafe (
            pointer.pointee.abi_major, pointer.pointee.abi_minor, pointer.pointee.min_host_minor
        )
        let rebuild =
            "Use a version of the plugin for ABI \(hostVersion), or build it against this host's aib_plugin.h."
        guard UInt32(major) == AIB_ABI_MAJOR else {
            throw PluginRefusal(
                .incompatible, path, "it was built for ABI \(major).\(minor), this host has \(hostVersion)",
                fix: rebuild)
        }
        // While the major number is 0 a minor number may change anything.
        if major == 0, UInt32(minor) != AIB_ABI_MINOR {
            throw PluginRefusal(
                .incompatible, path,
                "it was built for ABI \(major).\(minor), this host has \(hostVersion), and 0.x versions do not mix",
                fix: rebuild)
        }
        guard UInt32(minimum) <= AIB_ABI_MINOR else {
            throw PluginRefusal(
                .incompatible, path, "it needs a host of ABI \(major).\(minimum) at least, this one has \(hostVersion)",
                fix: "Upgrade the host, or use an older version of the plugin.")
        }
        let size = unsafe pointer.pointee.struct_size
        guard unsafe size >= MemoryLayout<aib_entry>.size else {
            throw PluginRefusal(
                .incompatible, path,
                unsafe "its entry has \(size) bytes, \(MemoryLayout<aib_entry>.size) are needed",
                fix: "Set struct_size to sizeof(aib_entry).")
        }
        let bits = unsafe pointer.pointee.ptr_bits
        guard Int(bits) == UInt.bitWidth else {
            throw PluginRefusal(
                .incompatible, path, "its pointers have \(bits) bits, the host's \(UInt.bitWidth)",
                fix: "Set ptr_bits to 64 and build for this machine.")
        }
        guard let bytes = unsafe pointer.pointee.manifest.copy(upTo: PluginManifest.maximumBytes), !bytes.isEmpty else {
            throw PluginRefusal(
                .manifest, path, "it embeds no manifest (NULL, empty, or longer than 1 MiB)",
                fix: "Point manifest at the bytes of plugin.json.")
        }
        return bytes
    }

    private static func compare(
        _ manifest: PluginManifest, _ entry: aib_entry, _ path: String
    ) throws(PluginRefusal) {
        let (major, minimum) = unsafe (Int(entry.abi_major), Int(entry.min_host_minor))
        guard manifest.abiMajor == major, manifest.minimumHostMinor == minimum else {
            throw PluginRefusal(
                .manifest, path,
                "its manifest says ABI \(manifest.abiMajor), min_host_minor \(manifest.minimumHostMinor); its entry "
                    + "says \(major) and \(minimum)",
                fix: "Make \"abi\" in plugin.json agree with the entry.")
        }
    }

    private static func provider(_ entry: aib_entry, _ path: String) throws(PluginRefusal) -> aib_provider {
        guard let interface = unsafe entry.get_interface, let raw = unsafe interface(AIB_IF_PROVIDER) else {
            throw PluginRefusal(
                .notAPlugin, path, "it has no interface \(AIB_IF_PROVIDER)",
                fix: "Return the provider's table from get_interface.")
        }
        let size = unsafe Int(raw.loadUnaligned(as: UInt32.self))
        // All up to `health`, which alone is optional.
        let needed = unsafe MemoryLayout<aib_provider>.offset(of: \.health) ?? MemoryLayout<aib_provider>.size
        guard size >= needed else {
            throw PluginRefusal(
                .incompatible, path, "its provider table has \(size) bytes, at least \(needed) are needed",
                fix: "Set struct_size to sizeof(aib_provider).")
        }
        var provider = aib_provider()
        unsafe withUnsafeMutableBytes(of: &provider) { bytes in
            unsafe bytes.copyMemory(
                from: UnsafeRawBufferPointer(start: raw, count: min(size, MemoryLayout<aib_provider>.size)))
        }
        let functions: [(String, Bool)] = unsafe [
            ("create", provider.create != nil), ("destroy", provider.destroy != nil),
            ("start", provider.start != nil), ("cancel", provider.cancel != nil),
            ("on_event", provider.on_event != nil),
        ]
        let missing = functions.filter { !$0.1 }.map(\.0)
        guard missing.isEmpty else {
            throw PluginRefusal(
                .notAPlugin, path, "its provider table lacks \(missing.joined(separator: ", "))",
                fix: "Only health may be NULL.")
        }
        return provider
    }
}
