import Domain

extension EgressPolicy {
    /// Refuses a target that neither the manifest nor the operator allowed.
    ///
    /// - Throws: `.denied`, naming the target, what is allowed, and the way out.
    func check(_ target: borrowing RequestTarget) throws(ProviderError) {
        let origin = target.origin
        for text in origins {
            // The operator's spelling goes through the same parser; one that is malformed allows nothing.
            if let allowed = try? RequestTarget(text), allowed.origin == origin { return }
        }
        if !target.isIPAddress, origin.scheme == "https", origin.port == 443,
            hosts.contains(where: { Self.pattern($0, covers: origin.host) })
        {
            return
        }
        let allowed = hosts.map { "https://\($0)" } + origins
        throw ProviderError(
            .denied,
            "egress to \(origin) is not allowed; allowed: \(allowed.isEmpty ? "nothing" : allowed.joined(separator: ", "))"
                + "; name the host in the plugin's manifest (https on port 443 only) or the exact origin in the "
                + "instance's configuration")
    }

    private static func pattern(_ pattern: String, covers host: String) -> Bool {
        let pattern = pattern.lowercased()
        guard pattern.hasPrefix("*.") else { return pattern == host }
        let suffix = pattern.dropFirst()
        return suffix.utf8.count > 1 && host.utf8.count > suffix.utf8.count && host.hasSuffix(suffix)
    }
}
