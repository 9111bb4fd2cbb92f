import PluginABI

extension ServiceTables {
    static let timer = unsafe Table(
        aib_svc_timer(
            struct_size: UInt32(MemoryLayout<aib_svc_timer>.size), reserved: 0,
            start: { context, call, delay, user, out in
                guard let out = unsafe out, let instance = unsafe PluginInstance.at(context) else {
                    return aib_status(AIB_E_INVALID)
                }
                var id: aib_id = 0
                let status = instance.startTimer(call, delay, user, &id)
                unsafe out.pointee = id
                return aib_status(status)
            },
            cancel: { context, timer in
                aib_status(unsafe PluginInstance.at(context)?.cancelTimer(timer) ?? AIB_E_INVALID)
            }))
}

extension PluginInstance {
    fileprivate func startTimer(_ callID: aib_id, _ delay: UInt64, _ user: UInt64, _ out: inout aib_id) -> Int {
        guard let call = call(callID) else { return AIB_E_STALE }
        let id = newID()
        add(.timer(nil, call: call), id)
        let status = call.adopt(id)
        guard status == AIB_OK else {
            _ = remove(id)
            return status
        }
        out = id
        // No call lasts a year, and a longer delay would overflow.
        let delay = Duration.milliseconds(Int64(min(delay, 31_536_000_000)))
        let timer = environment.timers.schedule(after: delay) {
            self.deliver(.timer, to: call, user: user, handle: id) {
                call.release(id)
                return self.remove(id) != nil
            }
        }
        // It may have fired or been cancelled meanwhile, and then names nothing any more.
        if !replace(.timer(timer, call: call), id) { environment.timers.cancel(timer) }
        return AIB_OK
    }

    fileprivate func cancelTimer(_ id: aib_id) -> Int {
        guard case .timer(let timer, let call)? = service(id), remove(id) != nil else { return AIB_E_STALE }
        call.release(id)
        if let timer { environment.timers.cancel(timer) }
        return AIB_OK
    }
}
