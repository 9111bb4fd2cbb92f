import Domain

/// What the simulated platform can meet besides what every provider can.
enum RailwayFault: Sendable {
    /// The effect is there, but the connection ends before a byte of the answer.
    case lostResponse
    /// A deployment fails in its build.
    case buildFailed
    /// A deployment stays in BUILDING until the fault is deleted, and goes on then.
    case buildHangs(Hold)
    /// A deployment fails because its application never becomes healthy.
    case unhealthy
    /// An application ends right after it has come up.
    case crash
    /// A custom domain belongs to somebody else.
    case domainConflict

    static let names = ["lost_response", "build_failed", "build_hangs", "unhealthy", "crash", "domain_conflict"]

    init?(_ name: String) {
        switch name {
        case "lost_response": self = .lostResponse
        case "build_failed": self = .buildFailed
        case "build_hangs": self = .buildHangs(Hold())
        case "unhealthy": self = .unhealthy
        case "crash": self = .crash
        case "domain_conflict": self = .domainConflict
        default: return nil
        }
    }

    var name: String {
        switch self {
        case .lostResponse: "lost_response"
        case .buildFailed: "build_failed"
        case .buildHangs: "build_hangs"
        case .unhealthy: "unhealthy"
        case .crash: "crash"
        case .domainConflict: "domain_conflict"
        }
    }

    /// When it is met.
    var moment: Fault.Moment {
        switch self {
        case .lostResponse: .call
        case .buildFailed, .buildHangs, .unhealthy, .crash: .deployment
        case .domainConflict: .domain
        }
    }
}
