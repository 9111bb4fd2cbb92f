import Domain

/// What the simulated platform can meet besides what every provider can.
enum RailwayFault: Sendable {
    /// A deployment fails in its build.
    case buildFailed
    /// A deployment stays in BUILDING until the fault is deleted, and goes on then.
    case buildHangs(Hold)
    /// A deployment fails because its application never becomes healthy.
    case unhealthy
    /// An application ends right after it has come up.
    case crash
    /// A deployment succeeds, but nothing answers at its address.
    case unreachable
    /// A custom domain belongs to somebody else.
    case domainConflict

    static let names = ["build_failed", "build_hangs", "unhealthy", "crash", "unreachable", "domain_conflict"]

    init?(_ name: String) {
        switch name {
        case "build_failed": self = .buildFailed
        case "build_hangs": self = .buildHangs(Hold())
        case "unhealthy": self = .unhealthy
        case "crash": self = .crash
        case "unreachable": self = .unreachable
        case "domain_conflict": self = .domainConflict
        default: return nil
        }
    }

    var name: String {
        switch self {
        case .buildFailed: "build_failed"
        case .buildHangs: "build_hangs"
        case .unhealthy: "unhealthy"
        case .crash: "crash"
        case .unreachable: "unreachable"
        case .domainConflict: "domain_conflict"
        }
    }

    /// When it is met.
    var moment: Fault.Moment {
        switch self {
        case .buildFailed, .buildHangs, .unhealthy, .crash, .unreachable: .deployment
        case .domainConflict: .domain
        }
    }
}
