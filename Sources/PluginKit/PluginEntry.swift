internal import Glibc
internal import PluginABI
internal import Synchronization

/// What the library's one exported symbol returns.
public enum PluginEntry {
    /// The entry table for a plugin, the same at each call. Versions are this kit's, never the author's.
    ///
    /// - Precondition: a library holds one plugin.
    @safe public static func make<P: Plugin>(_ type: P.Type) -> UnsafePointer<aib_entry> {
        unsafe registration.withLock { registration in
            if let registration {
                precondition(registration.type == type, "a library holds one plugin")
                return unsafe registration.entry
            }
            let bytes = P.manifest
            let manifest = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
            unsafe manifest.initialize(from: bytes, count: bytes.count)
            let entry = UnsafeMutablePointer<aib_entry>.allocate(capacity: 1)
            unsafe entry.initialize(
                to: aib_entry(
                    magic: AIB_MAGIC, struct_size: UInt32(MemoryLayout<aib_entry>.size),
                    abi_major: UInt16(AIB_ABI_MAJOR), abi_minor: UInt16(AIB_ABI_MINOR),
                    min_host_minor: UInt16(AIB_ABI_MINOR), ptr_bits: UInt16(UInt.bitWidth), flags: 0,
                    manifest: aib_span(ptr: manifest, len: UInt64(bytes.count)),
                    get_interface: { id in
                        guard let id = unsafe id, unsafe strcmp(id, AIB_IF_PROVIDER) == 0 else { return nil }
                        return unsafe UnsafeRawPointer(provider.table)
                    }))
            registration = unsafe Registration(type: type, entry: UnsafePointer(entry))
            return unsafe UnsafePointer(entry)
        }
    }
}

/// The plugin of this library.
///
/// Unchecked: the table is never written after it was made, and never freed.
@safe private struct Registration: @unchecked Sendable {
    let type: any Plugin.Type
    let entry: UnsafePointer<aib_entry>
}

private let registration = Mutex<Registration?>(nil)

/// Unchecked: as `Registration`.
@safe private struct ProviderTable: @unchecked Sendable {
    let table: UnsafeMutablePointer<aib_provider>
}

private let provider: ProviderTable = {
    let table = UnsafeMutablePointer<aib_provider>.allocate(capacity: 1)
    unsafe table.initialize(
        to: aib_provider(
            struct_size: UInt32(MemoryLayout<aib_provider>.size), reserved: 0,
            create: { host, config, instance in unsafe create(host, config, instance) },
            destroy: { instance in
                guard let instance = unsafe instance else { return }
                unsafe Unmanaged<PluginInstance>.fromOpaque(instance).takeRetainedValue().destroy()
            },
            start: { instance, call in
                guard let instance = unsafe PluginInstance.at(instance), let call = unsafe call,
                    unsafe call.pointee.struct_size >= MemoryLayout<aib_call>.size
                else { return aib_status(AIB_E_INVALID) }
                unsafe instance.start(call.pointee)
                return aib_status(AIB_OK)
            },
            cancel: { instance, call in unsafe PluginInstance.at(instance)?.cancel(call) },
            on_event: { instance, event in
                guard let event = unsafe event, unsafe event.pointee.struct_size >= MemoryLayout<aib_event>.size
                else { return }
                unsafe PluginInstance.at(instance)?.receive(event.pointee)
            },
            health: { instance in
                unsafe PluginInstance.at(instance)?.health() ?? aib_status(AIB_E_INVALID)
            }))
    return unsafe ProviderTable(table: table)
}()

extension PluginInstance {
    /// The instance that `create` gave out; `destroy` takes it back.
    fileprivate static func at(_ pointer: UnsafeMutableRawPointer?) -> PluginInstance? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe Unmanaged<PluginInstance>.fromOpaque(pointer).takeUnretainedValue()
    }
}

private func create(
    _ host: UnsafePointer<aib_host>?, _ config: aib_span,
    _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> aib_status {
    guard let host = unsafe host, let out = unsafe out, let table = unsafe HostTable(host) else {
        return aib_status(AIB_E_INVALID)
    }
    do {
        guard let type = registration.withLock({ $0?.type }) else { throw PluginError(.internal, "no plugin") }
        let configuration = try JSON.parse(unsafe config.bytes)
        let instance = try PluginInstance(type, configuration: configuration, host: table)
        unsafe out.pointee = Unmanaged.passRetained(instance).toOpaque()
        return aib_status(AIB_OK)
    } catch {
        let error = PluginError(error)
        table.log(call: 0, .error, error.message, ["code": error.code.rawValue])
        table.close()
        return error.abiStatus
    }
}
