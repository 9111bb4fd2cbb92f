/// Whether the host is ready, looked at once at a time: whoever asks meanwhile learns what comes of that. Anybody may
/// ask, and what is looked at is what runs need.
actor ReadinessCheck {
    private let check: @Sendable () async -> ReadinessReport
    private var underWay: Task<ReadinessReport, Never>?

    init(_ check: @escaping @Sendable () async -> ReadinessReport) { self.check = check }

    func report() async -> ReadinessReport {
        if let underWay { return await underWay.value }
        let task = Task { [check] in await check() }
        underWay = task
        defer { underWay = nil }
        return await task.value
    }
}
