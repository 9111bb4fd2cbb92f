import Domain
import Logging
import PluginABI

extension ServiceTables {
    static let log = unsafe Table(
        aib_svc_log(
            struct_size: UInt32(MemoryLayout<aib_svc_log>.size), reserved: 0,
            enabled: { context, level in
                unsafe PluginInstance.at(context)?.isLogged(level) == true ? 1 : 0
            },
            log: { context, call, level, message, fields in
                unsafe PluginInstance.at(context)?.log(call, level, message, fields)
            }))
}

extension PluginInstance {
    private static let maximumFields = 32

    private func level(_ level: Int32) -> Logger.Level {
        switch Int(level) {
        case ...AIB_LOG_DEBUG: .debug
        case AIB_LOG_INFO: .info
        case AIB_LOG_WARNING: .warning
        default: .error
        }
    }

    fileprivate func isLogged(_ level: Int32) -> Bool { logger.logLevel <= self.level(level) }

    fileprivate func log(_ id: aib_id, _ level: Int32, _ message: aib_span, _ fields: aib_span) {
        // What is longer than any line could show is cut before it is copied.
        let kept = unsafe aib_span(ptr: message.ptr, len: min(message.len, UInt64(4 * Scrubber.maximumBytes)))
        guard let bytes = unsafe kept.copy(upTo: 4 * Scrubber.maximumBytes) else { return }
        let call = call(id)
        let scrubber = call?.scrubber ?? scrubber
        let text = scrubber.clean(bytes, isCut: unsafe kept.len < message.len)
        if foreign == nil, self.level(level) == .error { creationError = text }
        guard isLogged(level) else { return }
        var metadata: Logger.Metadata = [:]
        if let call { metadata["call"] = "\(call.invocation.callID)" }
        let json = unsafe fields.copy(upTo: 16_384).flatMap { try? JSON.parse($0) }
        for member in json?.objectValue?.members.prefix(Self.maximumFields) ?? [] {
            let name = scrubber.clean(member.key)
            // Who speaks, and of which call, is the host's to say.
            let isTaken = name == "call" || logger[metadataKey: name] != nil
            metadata[isTaken ? "field.\(name)" : name] =
                "\(scrubber.clean(member.value.stringValue ?? member.value.text))"
        }
        logger.log(level: self.level(level), "\(text)", metadata: metadata)
    }
}
