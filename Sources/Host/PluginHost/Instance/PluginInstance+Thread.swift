import Domain
import PluginABI

/// What runs on the instance's thread: every call into the plugin. The ABI calls these functions [serial].
extension PluginInstance {
    /// Beyond it a function that must not block is counted as slow.
    static let functionBudget = Duration.milliseconds(1)

    /// Creates the foreign instance.
    func create(_ configuration: JSON) -> Result<Void, PluginRefusal> {
        let host = unsafe makeHostTable()
        var pointer: UnsafeMutableRawPointer?
        let status = unsafe withSpan(configuration.bytes) { unsafe library.provider.create(host, $0, &pointer) }
        guard status == aib_status(AIB_OK) else {
            let words = creationError.map { ": \($0)" } ?? " and logged no reason"
            return .failure(
                PluginRefusal(
                    .failed, library.image.path, "it did not start; create answered \(status)\(words)",
                    fix: "Check its configuration and its log."))
        }
        foreign = unsafe Foreign(pointer: pointer)
        return .success(())
    }

    func start(_ call: HostedCall) {
        guard let foreign, call.begin() else { return call.started(aib_status(AIB_OK)) }
        // One buffer holds every text, so that one pointer has to stay valid.
        var buffer: [UInt8] = []
        func add(_ bytes: some Sequence<UInt8>) -> Range<Int> {
            let start = buffer.count
            buffer.append(contentsOf: bytes)
            return start..<buffer.count
        }
        let invocation = call.invocation
        let operation = add(invocation.route.operation.utf8)
        let input = add(call.input)
        let tenant = add(invocation.tenant.utf8)
        let trace = add(invocation.callID.description.utf8)
        let key = add(invocation.idempotencyKey.utf8)
        let status = timed(call) {
            unsafe withSpan(buffer) { all in
                func span(_ range: Range<Int>) -> aib_span {
                    unsafe aib_span(ptr: all.ptr.map { unsafe $0 + range.lowerBound }, len: UInt64(range.count))
                }
                var wire = unsafe aib_call(
                    struct_size: UInt32(MemoryLayout<aib_call>.size), attempt: UInt32(clamping: invocation.attempt),
                    call: call.id, operation: span(operation), input: span(input), tenant: span(tenant),
                    trace: span(trace), idempotency_key: span(key),
                    deadline_unix_ms: UInt64(clamping: invocation.deadline.milliseconds))
                return unsafe library.provider.start(foreign.pointer, &wire)
            }
        }
        call.started(status)
    }

    /// Queues `cancel` for the plugin.
    func tellCancel(_ call: HostedCall) {
        thread.post {
            guard let foreign = self.foreign, self.call(call.id) != nil else { return }
            self.timed(call) { unsafe self.library.provider.cancel(foreign.pointer, call.id) }
        }
    }

    /// Queues an event for the plugin. It is dropped where the call is over by then.
    ///
    /// - Parameters:
    ///   - isDue: asked right before, on the instance's thread.
    ///   - completion: runs right after, whether it was delivered or not.
    func deliver(
        _ kind: EventKind, to call: HostedCall, user: UInt64, handle: aib_id, _ data: [UInt8] = [],
        if isDue: @escaping @Sendable () -> Bool = { true }, then completion: @escaping @Sendable () -> Void = {}
    ) {
        call.queued(1)
        thread.post {
            call.queued(-1)
            if let foreign = self.foreign, call.isServed, isDue() {
                self.timed(call) {
                    unsafe withSpan(data) { data in
                        var event = unsafe aib_event(
                            struct_size: UInt32(MemoryLayout<aib_event>.size), kind: kind.number, user: user,
                            call: call.id, handle: handle, data: data)
                        unsafe self.library.provider.on_event(foreign.pointer, &event)
                    }
                }
            }
            completion()
        }
    }

    /// Queues the failure of what was asked under `user`.
    func deliverFailure(
        _ error: ProviderError, to call: HostedCall, user: UInt64, handle: aib_id,
        if isDue: @escaping @Sendable () -> Bool = { true }
    ) {
        let json: JSON = [
            "code": .string(error.code.rawValue), "message": .string(call.scrubber.clean(error.message)),
            "retryable": .bool(error.isRetryable),
        ]
        deliver(.fail, to: call, user: user, handle: handle, json.bytes, if: isDue)
    }

    func health() -> PluginHealth {
        guard let foreign else { return .failing("not created") }
        guard let health = unsafe library.provider.health else { return .healthy }
        let status = unsafe health(foreign.pointer)
        if status == aib_status(AIB_OK) { return .healthy }
        return .failing(ProviderError.Code(status)?.rawValue ?? "status \(status)")
    }

    func destroy() {
        guard let foreign else { return }
        self.foreign = nil
        unsafe library.provider.destroy(foreign.pointer)
    }

    private func timed<Result>(_ call: HostedCall, _ body: () -> Result) -> Result {
        let start = ContinuousClock.now
        let result = body()
        if start.duration(to: .now) > Self.functionBudget { count(.slowFunction, call: call) }
        return result
    }
}
