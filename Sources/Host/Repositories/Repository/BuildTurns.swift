import Domain

/// One builder at a time for each execution: whoever comes second finds what the first has built.
actor BuildTurns {
    private static let maximumWaiting = 64

    private var waiting: [UUIDv7: [CheckedContinuation<Void, Never>]] = [:]

    /// - Throws: `SourceError` of code `unavailable` where too many wait for the same execution.
    func take<Value: Sendable>(
        _ execution: UUIDv7, _ body: @Sendable () async throws(SourceError) -> Value
    ) async throws(SourceError) -> Value {
        if let queue = waiting[execution] {
            guard queue.count < Self.maximumWaiting else {
                throw SourceError(.unavailable, "too many wait for the source of execution \(execution)")
            }
            await withCheckedContinuation { waiting[execution]?.append($0) }
        } else {
            waiting[execution] = []
        }
        defer { pass(execution) }
        return try await body()
    }

    private func pass(_ execution: UUIDv7) {
        guard var queue = waiting[execution], !queue.isEmpty else {
            waiting[execution] = nil
            return
        }
        let next = queue.removeFirst()
        waiting[execution] = queue
        next.resume()
    }
}
