import PluginKit

/// A domain of the user's own, and what its owner has to set in the DNS.
struct CustomDomain: Sendable, Hashable {
    struct Record: Sendable, Hashable {
        let type: String
        /// In full, with the zone.
        let name: String
        let value: String
    }

    let id: String
    let domain: String
    let records: [Record]
    /// Whether requests for it reach the application.
    let isActive: Bool

    init(_ answer: Answer) throws(PluginError) {
        id = try answer["id"].identifier()
        domain = try answer["domain"].text()
        let status = answer["status"]
        let list = try status["dnsRecords"].list()
        var records: [Record] = []
        for record in list {
            // A record whose value Railway does not know yet cannot be set.
            guard let value = record["requiredValue"].optionalText else { continue }
            let type = try record["recordType"].text()
            let prefix = "DNS_RECORD_TYPE_"
            records.append(
                Record(
                    type: type.hasPrefix(prefix) ? String(type.dropFirst(prefix.count)) : type,
                    name: try Self.name(of: record), value: value))
        }
        if let host = status["verificationDnsHost"].optionalText, let token = status["verificationToken"].optionalText {
            let prefix = "railway-verify="
            records.append(
                Record(
                    type: "TXT", name: Self.fullName(host, zone: list.first?["zone"].optionalText),
                    value: token.hasPrefix(prefix) ? token : prefix + token))
        }
        self.records = records
        // Ownership alone is not enough: the traffic has to come here as well, which a certificate proves too.
        let isRouted = list.allSatisfy { $0["status"].optionalText == "DNS_RECORD_STATUS_PROPAGATED" }
        let hasCertificate = status["certificateStatus"].optionalText == "CERTIFICATE_STATUS_TYPE_VALID"
        isActive = try status["verified"].bool() && (isRouted || hasCertificate)
    }

    /// Railway gives this host with its zone or without.
    private static func fullName(_ host: String, zone: String?) -> String {
        guard let zone, host != zone, !host.hasSuffix("." + zone) else { return host }
        return "\(host).\(zone)"
    }

    private static func name(of record: Answer) throws(PluginError) -> String {
        if let name = record["fqdn"].optionalText { return name }
        return try record["hostlabel"].text()
    }
}

extension RailwayAPI {
    /// The domain that Railway gave to a service, with a port where a simulator needs one.
    func serviceDomain(at place: Place) async throws -> String? {
        let domains = try await perform(.domains, place.variables(), field: "domains")
        guard let domain = Answer.living(try domains["serviceDomains"].list()).first else { return nil }
        return try Self.authority(domain)
    }

    /// The same, made where there is none.
    func ensureServiceDomain(at place: Place) async throws -> String {
        if let domain = try await serviceDomain(at: place) { return domain }
        let input: JSON = [
            "environmentId": .string(place.environmentID), "serviceId": .string(place.serviceID),
        ]
        return try Self.authority(
            await perform(.serviceDomainCreate, ["input": input], field: "serviceDomainCreate"))
    }

    func customDomain(_ name: DomainName, at place: Place) async throws -> CustomDomain? {
        // A service that went away in between has no domains.
        guard let domains = try await find(.domains, place.variables(), field: "domains") else { return nil }
        for domain in Answer.living(try domains["customDomains"].list())
        where domain["domain"].optionalText?.lowercased() == name.text {
            return try CustomDomain(domain)
        }
        return nil
    }

    /// Adds a custom domain to a service.
    ///
    /// - Throws: `PluginError` of code `invalid` where the domain belongs to another.
    func createCustomDomain(_ name: DomainName, at place: Place) async throws -> CustomDomain {
        let availability = try await perform(
            .customDomainAvailable, ["domain": .string(name.text)], field: "customDomainAvailable")
        guard try availability["available"].bool() else { throw Self.taken(name, availability["message"].optionalText) }
        let input = place.variables(["domain": .string(name.text)])
        switch try await outcome(.customDomainCreate, ["input": input]) {
        case .data(let data): return try CustomDomain(data["customDomainCreate"])
        case .refused(let refusal, let error):
            // Somebody else was faster.
            let words = refusal.message.lowercased()
            let isTaken = ["already", "taken", "in use", "not available", "conflict"].contains { words.contains($0) }
            throw refusal.kind == .other && isTaken ? Self.taken(name, refusal.message) : error
        }
    }

    private static func taken(_ name: DomainName, _ words: String?) -> PluginError {
        PluginError(
            .invalid,
            "the domain \(name.text) is not available on Railway; it may belong to another project or account"
                + (words.map { ": \($0.prefix(ProviderFailure.detailLimit))" } ?? ""))
    }

    private static func authority(_ domain: Answer) throws(PluginError) -> String {
        let text = try domain["domain"].text()
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, DomainName.isHost(String(parts[0])),
            parts.count == 1 || UInt16(parts[1]).map({ $0 > 0 }) == true
        else { throw domain["domain"].malformed("a host's name") }
        return text
    }
}
