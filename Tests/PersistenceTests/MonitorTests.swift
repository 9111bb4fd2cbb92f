import Domain
import Testing

@testable import Persistence

@Suite struct MonitorTests {
    private static let isDue = "UPDATE health_monitors SET next_check_at = now() - interval '1 hour'"

    private static func monitor(
        _ execution: UUIDv7, name: String = "shop", status: Int? = 204, interval: Duration = .seconds(30)
    ) -> HealthMonitor {
        HealthMonitor(
            id: TestDatabase.id(), executionID: execution, name: name, url: "https://shop.example/health",
            expectedStatus: status, interval: interval)
    }

    @Test func aMonitorIsDueAtOnceAndThenAnIntervalLater() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let monitors = PostgresMonitors(test.database)
            let monitor = Self.monitor(execution)
            try await monitors.start(monitor)
            let due = try await monitors.takeDue(limit: 5)
            let again = try await monitors.takeDue(limit: 5)
            #expect(due == [monitor] && again.isEmpty)
            // After an hour's outage there is one check, not a hundred and twenty.
            try await test.query(Self.isDue)
            let late = try await monitors.takeDue(limit: 5)
            let rest = try await monitors.takeDue(limit: 5)
            #expect(late == [monitor] && rest.isEmpty)
            let ahead = try await test.count(
                "SELECT round(extract(epoch FROM next_check_at - now()))::bigint FROM health_monitors")
            #expect((1...30).contains(ahead ?? 0))
        }
    }

    @Test func startingAgainReplacesAndStoppingEnds() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let execution = try await test.makeExecution(user: user)
            let other = try await test.makeExecution(user: user)
            let monitors = PostgresMonitors(test.database)
            #expect(try await monitors.isMonitored(execution) == false)
            let second = Self.monitor(execution, status: nil, interval: .milliseconds(61_500))
            let admin = Self.monitor(execution, name: "admin")
            let neighbour = Self.monitor(other)
            for monitor in [Self.monitor(execution), second, admin, neighbour] { try await monitors.start(monitor) }
            #expect(try await monitors.isMonitored(execution))
            let due = try await monitors.takeDue(limit: 10)
            #expect(Set(due) == [second, admin, neighbour])
            for _ in 0..<2 { try await monitors.stop(execution: execution) }
            try await test.query(Self.isDue)
            let left = try await monitors.takeDue(limit: 10)
            #expect(try await monitors.isMonitored(execution) == false)
            #expect(left == [neighbour])
            try await monitors.start(second)
            let anew = try await monitors.takeDue(limit: 10)
            #expect(try await monitors.isMonitored(execution))
            #expect(anew == [second])
        }
    }

    @Test func checksAreOnRecordAlsoOfAMonitorThatWasStopped() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let monitors = PostgresMonitors(test.database)
            let monitor = Self.monitor(execution, name: "sh\0p")
            try await monitors.start(monitor)
            try await monitors.record(
                ProbeResult(isHealthy: true, latency: .milliseconds(12), status: 204), of: monitor)
            try await monitors.stop(execution: execution)
            try await monitors.record(
                ProbeResult(isHealthy: false, latency: .seconds(9_000_000), reason: "no \0 answer"), of: monitor)
            let rows = try await test.text(
                """
                SELECT string_agg(concat_ws('|', service_name, status, response_time_ms, error_message,
                    metadata->>'http_status', metadata->>'url'), ' ' ORDER BY response_time_ms)
                FROM system_health_checks WHERE metadata->>'execution_id' = $1
                """, [.text(execution.description)])
            #expect(
                rows == """
                    sh\u{FFFD}p|healthy|12|204|https://shop.example/health \
                    sh\u{FFFD}p|unhealthy|2147483647|no \u{FFFD} answer|https://shop.example/health
                    """)
            #expect(try await test.text("SELECT last_status FROM health_monitors") == "unhealthy")
        }
    }

    @Test func hostsThatCheckAtOnceNeverTakeTheSame() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let monitors = PostgresMonitors(test.database)
            for number in 0..<30 { try await monitors.start(Self.monitor(execution, name: "m\(number)")) }
            try await test.another(TestDatabase.small) { other in
                let stores = [monitors, PostgresMonitors(other)]
                let taken = try await withThrowingTaskGroup(of: [HealthMonitor].self) { group in
                    for number in 0..<20 { group.addTask { try await stores[number % 2].takeDue(limit: 2) } }
                    return try await group.reduce([], +)
                }
                let rest = try await monitors.takeDue(limit: 100)
                #expect((taken + rest).count == 30 && Set(taken + rest).count == 30)
                let none = try await monitors.takeDue(limit: 0)
                #expect(none.isEmpty)
            }
        }
    }

    @Test func aMonitorOfNothingIsNotFoundAndOddIntervalsAreBounded() async throws {
        try await TestDatabase.run { test async throws in
            let monitors = PostgresMonitors(test.database)
            let error = await #expect(throws: LedgerError.self) {
                try await monitors.start(Self.monitor(TestDatabase.id()))
            }
            #expect(error?.code == .notFound)
            let execution = try await test.makeExecution(user: try await test.makeUser())
            try await monitors.start(Self.monitor(execution, name: "a", interval: .zero))
            try await monitors.start(Self.monitor(execution, name: "b", interval: .seconds(9_000_000_000_000)))
            let due = try await monitors.takeDue(limit: 5)
            #expect(Set(due.map(\.interval)) == [.seconds(1), .seconds(86_400)])
        }
    }
}
