import Domain
import Logging

/// Takes back what a failed run did to the outside world, the last first.
struct RunCleanup: Sendable {
    /// Attempts at undoing one effect.
    static let maximumAttempts = 4
    /// Bounds one of them.
    static let timeout = Duration.seconds(300)

    let fence: Fence
    let userID: UUIDv7
    /// In the order in which they are undone.
    let effects: [Effect]
    let names: [String: String]
    /// How often owners that came later have begun what; nil where the run had one owner alone.
    let begunAgain: [String: Int]?
    let services: EngineServices
    let lease: WorkerLease
    let report: @Sendable (StepEvent) -> Void

    /// The effects that are to be undone, in the order of undoing. What the host itself keeps running for the
    /// application goes in any case.
    static func pending(_ effects: [Effect], _ plan: ExecutionPlan) -> [Effect] {
        let commands = Self.commands(of: plan)
        return effects.reversed().filter { effect in
            effect.state != .undone && commands.contains(effect.command)
        }
    }

    /// The commands whose effects the template wants undone.
    private static func commands(of plan: ExecutionPlan) -> Set<String> {
        Set((plan.cleanup.map(\.command) + [.setupMonitoring]).map(\.rawValue))
    }

    /// Reports each effect as it is undone, and `.concluded` at the end.
    func run() async {
        for effect in effects {
            guard !Task.isCancelled else { return }
            guard let undone = await undo(effect) else { return }
            report(.effect(undone))
            let name = names[effect.stepID] ?? effect.stepID
            switch undone.state {
            case .undone: report(.line(.info, step: name, message: "undone: \(effect.command)"))
            default:
                report(
                    .line(.error, step: name, message: "could not be undone: \(effect.command): \(undone.error ?? "")"))
            }
        }
        report(.concluded(nil))
    }

    /// Counts, before the provider is asked, that an effect is undone again; false where that has been cut off too often
    /// with its host.
    private func mayBegin(_ effect: Effect) async throws(WriteStop) -> Bool {
        guard let begunAgain else { return true }
        let name = "undo \(effect.stepID)"
        let count = begunAgain[name, default: 0]
        guard count < StepRunner.maximumLostAttempts else { return false }
        let outcome = try await services.durably(under: lease) { () throws(LedgerError) in
            try await services.ledger.begin(again: name, count: count + 1, fence: fence)
        }
        guard outcome != .fenced else { throw .interrupted(.fenced) }
        return true
    }

    /// nil where the run was interrupted.
    private func undo(_ effect: Effect) async -> Effect? {
        let key = RouteKey.command(effect.command, provider: effect.provider)
        guard let route = services.dispatch.route(for: key), let operation = route.undo else {
            return effect.becoming(.undoFailed, error: "nothing on this host serves \(key)")
        }
        do throws(WriteStop) {
            guard try await mayBegin(effect) else {
                return effect.becoming(.undoFailed, error: "it was cut off each time with its host")
            }
        } catch {
            if case .interrupted(let reason) = error { report(.released(reason)) } else { report(.released(.refused)) }
            return nil
        }
        var attempt = 0
        while true {
            attempt += 1
            // Undoing is an effect too: what another host may own by now is not touched.
            do throws(RunInterruption) { try await lease.wait(by: services.clock) } catch {
                report(.released(error))
                return nil
            }
            let now = services.clock.wall.now()
            let invocation = Invocation(
                route: route.operation(operation), callID: UUIDv7(at: now), input: effect.inquiry,
                tenant: userID.description, attempt: attempt, idempotencyKey: effect.key,
                deadline: now.advanced(by: Self.timeout), mayAct: { [lease] in !lease.isLost })
            do throws(ProviderError) {
                _ = try await services.dispatch.invoke(invocation) { _ in }
                return effect.becoming(.undone)
            } catch {
                if Task.isCancelled { return nil }
                guard !lease.isLost else {
                    report(.released(.leaseLost))
                    return nil
                }
                services.logger.warning(
                    "undoing failed",
                    metadata: ["execution": "\(fence.executionID)", "effect": "\(effect.key)", "error": "\(error)"])
                let delay = services.retry.delay(
                    after: error, attempt: attempt, of: Self.maximumAttempts, jitter: services.jitter())
                guard let delay else {
                    return effect.becoming(
                        .undoFailed, error: "the provider \"\(effect.provider)\" answered with \(error.code.rawValue)")
                }
                guard (try? await services.clock.sleep(delay)) != nil else { return nil }
            }
        }
    }
}
