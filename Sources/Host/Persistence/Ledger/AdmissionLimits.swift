/// How many runs may be unfinished: those that wait and those that run, on all hosts of the database.
public struct AdmissionLimits: Sendable, Hashable {
    public var perUser: Int
    /// Of all users. Hosts that admit at the same moment may exceed it by what they have under way.
    public var total: Int

    public init(perUser: Int = 1_000, total: Int = 10_000) {
        self.perUser = perUser
        self.total = total
    }
}
