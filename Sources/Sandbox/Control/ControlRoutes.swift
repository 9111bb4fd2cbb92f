import Domain
import HTTPTypes
import Hummingbird

/// `/ledger`, `/faults` and `/gates`: how tests and operators watch and steer the sandbox.
struct ControlRoutes: Sendable {
    /// Bytes of a control request's body.
    static let bodyLimit = 1 << 20

    let state: ControlState

    func add(to router: Router<SandboxContext>) {
        router.get("ledger") { _, _ in Response.json(.ok, state.ledger.json) }
        router.delete("ledger") { _, _ in
            state.ledger.clear()
            return Response(status: .noContent)
        }
        addFaults(to: router)
        addGates(to: router)
    }

    private func addFaults(to router: Router<SandboxContext>) {
        router.get("faults") { _, _ in Response.json(.ok, state.faults.json) }
        router.post("faults") { request, _ in
            await answering {
                let fault = try Fault(try await body(of: request))
                let id = try state.faults.add(fault)
                return Response.json(.created, fault.json(id: id))
            }
        }
        router.delete("faults") { _, _ in
            state.faults.clear()
            return Response(status: .noContent)
        }
        router.delete("faults/:id") { _, context in
            await answering {
                try state.faults.remove(try id(in: context))
                return Response(status: .noContent)
            }
        }
    }

    private func addGates(to router: Router<SandboxContext>) {
        router.get("gates") { _, _ in Response.json(.ok, state.gates.json) }
        router.post("gates") { request, _ in
            await answering {
                let gate = try Gate(try await body(of: request))
                let id = try state.gates.add(gate)
                return Response.json(.created, gate.json(id: id))
            }
        }
        // `?held=N` answers once N calls have come to the gate: nobody has to poll.
        router.get("gates/:id") { request, context in
            await answering {
                let id = try id(in: context)
                let gate = try state.gates.gate(id)
                if let text = request.uri.queryParameters.get("held") {
                    guard let count = Int(text), count >= 0 else { throw ControlRefusal("held must be a whole number") }
                    try await gate.hold.arrivals(atLeast: count)
                }
                return Response.json(.ok, gate.json(id: id))
            }
        }
        router.delete("gates/:id") { _, context in
            await answering {
                try state.gates.remove(try id(in: context))
                return Response(status: .noContent)
            }
        }
    }

    private func id(in context: SandboxContext) throws(ControlRefusal) -> Int {
        guard let text = context.parameters.get("id"), let id = Int(text) else {
            throw ControlRefusal("the id in the path must be a whole number")
        }
        return id
    }

    private func body(of request: Request) async throws -> JSON {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: Self.bodyLimit)
        } catch {
            throw ControlRefusal("the body is longer than \(Self.bodyLimit) bytes or was cut off")
        }
        do {
            return try JSON.parse(Array(buffer.readableBytesView))
        } catch {
            throw ControlRefusal("the body is no JSON: \(error)")
        }
    }

    private func answering(_ respond: () async throws -> Response) async -> Response {
        do {
            return try await respond()
        } catch let refusal as ControlRefusal {
            return .json(refusal.isUnknown ? .notFound : .badRequest, ["error": .string(refusal.message)])
        } catch {
            return .json(.serviceUnavailable, ["error": "the sandbox is shutting down"])
        }
    }
}
