import Domain

extension EgressPolicy {
    /// Whether the manifest or the operator allows a target.
    func allows(_ target: borrowing RequestTarget) -> Bool {
        let origin = target.origin
        for text in origins {
            // The operator's spelling goes through the same parser; one that is malformed allows nothing.
            if let allowed = try? RequestTarget(text), allowed.origin == origin { return true }
        }
        return !target.isIPAddress && origin.scheme == "https" && origin.port == 443 && covers(host: origin.host)
    }

    /// Whether the target is allowed only as far as it is public: the connection's address is then to be checked too.
    func isConfinedToPublic(_ target: borrowing RequestTarget) -> Bool { reach == .anyPublic && !allows(target) }

    /// Refuses a target that the policy does not allow.
    ///
    /// - Throws: `.denied`, naming the target, what is allowed, and the way out.
    func check(_ target: borrowing RequestTarget) throws(ProviderError) {
        guard !allows(target) else { return }
        switch reach {
        case .any: return
        case .anyPublic:
            guard target.mayBePublic else { throw Self.notPublic(target.origin) }
        case .listed: throw notListed(target.origin)
        }
    }

    /// - Note: it does not tell the address: a client's own word for a host is no way to ask about our network.
    static func notPublic(_ origin: Origin) -> ProviderError {
        ProviderError(
            .denied,
            "\(origin) is not at a public address; use a host that the internet can reach, or have the operator allow "
                + "private addresses")
    }

    private func notListed(_ origin: Origin) -> ProviderError {
        let allowed = hosts.map { "https://\($0)" } + origins
        return ProviderError(
            .denied,
            "egress to \(origin) is not allowed; allowed: \(allowed.isEmpty ? "nothing" : allowed.joined(separator: ", "))"
                + "; name the host in the plugin's manifest (https on port 443 only) or the exact origin in the "
                + "instance's configuration")
    }
}
