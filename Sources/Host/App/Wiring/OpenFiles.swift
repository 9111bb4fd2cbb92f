import Glibc

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// What is not a client's connection needs some: calls of providers, the database, logs, repositories.
    static let reserve = 768

    /// Raises the limit as far as it may be; answers what it is then. Most shells give 1,024 and allow many more.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        let current = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        let isRaised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Int(clamping: isRaised ? limit.rlim_max : current)
    }
}
