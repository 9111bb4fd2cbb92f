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

    /// Refuses a target that neither the manifest nor the operator allowed.
    ///
    /// - Throws: `.denied`, naming the target, what is allowed, and the way out.
    func check(_ target: borrowing RequestTarget) throws(ProviderError) {
        guard !allows(target) else { return }
        let origin = target.origin
        let allowed = hosts.map { "https://\($0)" } + origins
        throw ProviderError(
            .denied,
            "egress to \(origin) is not allowed; allowed: \(allowed.isEmpty ? "nothing" : allowed.joined(separator: ", "))"
                + "; name the host in the plugin's manifest (https on port 443 only) or the exact origin in the "
                + "instance's configuration")
    }
}
