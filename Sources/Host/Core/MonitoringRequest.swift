import Domain

/// The parameters of `setup_monitoring`.
struct MonitoringRequest: Sendable, Hashable {
    static let usualInterval = Duration.seconds(60)
    static let intervals: ClosedRange<Int64> = 10...86_400

    /// Of the check: the application's address with `/health`.
    let url: String
    let isWanted: Bool
    let expectedStatus: Int
    let interval: Duration

    /// - `app_url`: required, an http or https URL.
    /// - `health_checks`: `false` asks for none; an object may name `path`, `interval_seconds` and `expected_status`.
    init(_ parameters: JSON) throws(ProviderError) {
        guard let address = parameters["app_url"]?.stringValue,
            address.hasPrefix("http://") || address.hasPrefix("https://")
        else { throw ProviderError(.invalid, "setup_monitoring needs app_url, an http or https URL") }
        let checks = parameters["health_checks"] ?? .null
        let path = checks["path"]?.stringValue ?? DeploymentConfiguration.healthCheckPath
        guard path.hasPrefix("/") else {
            throw ProviderError(.invalid, "health_checks.path must begin with /, not be \"\(path.prefix(100))\"")
        }
        let seconds = checks["interval_seconds"] ?? .integer(Self.usualInterval.components.seconds)
        guard let count = seconds.integerValue, Self.intervals.contains(count) else {
            throw ProviderError(
                .invalid,
                "health_checks.interval_seconds must be from \(Self.intervals.lowerBound) to "
                    + "\(Self.intervals.upperBound), not \(seconds.text.prefix(40))")
        }
        let status = checks["expected_status"] ?? 200
        guard let code = status.integerValue, (100...599).contains(code) else {
            throw ProviderError(.invalid, "health_checks.expected_status must be a status from 100 to 599")
        }
        url = address.droppingTrailingSlashes + path
        isWanted = checks != false
        expectedStatus = Int(code)
        interval = .seconds(count)
    }
}
