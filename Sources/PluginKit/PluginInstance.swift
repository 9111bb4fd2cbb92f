internal import PluginABI
internal import Synchronization

/// What `aib_provider.create` makes: the author's plugin, its thread, and the calls in flight.
final class PluginInstance: Sendable {
    private let plugin: any Plugin
    private let host: HostTable
    private let executor: PrivateExecutor
    private let calls = Mutex<[aib_id: ActiveCall]>([:])

    init(_ type: any Plugin.Type, configuration: JSON, host: HostTable) throws {
        self.host = host
        executor = try PrivateExecutor()
        do {
            plugin = try type.init(configuration: configuration, host: Host(table: host))
        } catch {
            executor.stop()
            throw error
        }
    }

    func start(_ wire: aib_call) {
        let active = unsafe ActiveCall(id: wire.call, host: host)
        let call = Call(
            operation: unsafe wire.operation.string,
            input: JSON.null, attempt: unsafe Int(wire.attempt), tenant: unsafe wire.tenant.string,
            trace: unsafe wire.trace.string, idempotencyKey: unsafe wire.idempotency_key.string,
            deadlineUnixMilliseconds: unsafe wire.deadline_unix_ms, active: active)
        let input = unsafe wire.input.bytes
        calls.withLock { $0[active.id] = active }
        // Unstructured, for the host starts it and ends it: through `cancel`, or by waiting for its completion.
        active.run(as: Task(executorPreference: executor) { await self.run(call, input: input) })
    }

    private func run(_ call: Call, input: [UInt8]) async {
        let outcome: Result<JSON, PluginError>
        do {
            outcome = .success(try await plugin.call(try call.reading(input)))
        } catch {
            outcome = .failure(PluginError(error))
        }
        call.active.end()
        calls.withLock { _ = $0.removeValue(forKey: call.active.id) }
        host.complete(call: call.active.id, outcome)
    }

    func cancel(_ id: aib_id) { calls.withLock { $0[id] }?.cancel() }

    func receive(_ event: aib_event) {
        unsafe calls.withLock { unsafe $0[event.call] }?.receive(event)
    }

    func health() -> aib_status {
        guard let error = plugin.health() else { return aib_status(AIB_OK) }
        host.log(call: 0, .warning, error.message, ["code": error.code.rawValue])
        return error.abiStatus
    }

    /// After the last completion: ends the thread.
    func destroy() {
        executor.stop()
        host.close()
    }
}

extension Call {
    /// The same call with its input, which is parsed on the plugin's thread and not on the host's.
    fileprivate func reading(_ input: [UInt8]) throws(PluginError) -> Call {
        do throws(JSONError) {
            return Call(
                operation: operation, input: try JSON.parse(input, JSON.Reading(repairsStrings: true)),
                attempt: attempt, tenant: tenant, trace: trace, idempotencyKey: idempotencyKey,
                deadlineUnixMilliseconds: deadlineUnixMilliseconds, active: active)
        } catch {
            throw PluginError(.invalid, "the call's input: \(error)")
        }
    }
}
