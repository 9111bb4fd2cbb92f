import Domain

/// An object whose values are all known beforehand.
struct RailwayFields: GraphQLObject {
    private let values: [String: GraphQLValue]

    init(_ values: [String: GraphQLValue]) { self.values = values }

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        values[name] ?? .null
    }
}

/// The domains of a service in one environment.
struct RailwayDomainsObject: GraphQLObject {
    let key: RailwayState.Instance.Key
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        name == "serviceDomains"
            ? .list(state.serviceDomains.filter { $0.key == key }.map { .object($0.object) })
            : .list(state.customDomains.filter { $0.key == key }.map { .object($0.object) })
    }
}

extension RailwayState.ServiceDomain {
    var object: RailwayFields {
        RailwayFields([
            "id": .text(id), "domain": .text(domain), "serviceId": .text(key.serviceID),
            "environmentId": .text(key.environmentID), "targetPort": .number(targetPort), "syncStatus": .text("ACTIVE"),
            "createdAt": .time(createdAt), "updatedAt": .time(createdAt),
        ])
    }
}

extension RailwayState.CustomDomain {
    /// The zone's last two labels and what stands before them; empty for the zone itself.
    private var zone: (name: String, host: String) {
        let labels = domain.split(separator: ".")
        return (labels.suffix(2).joined(separator: "."), labels.dropLast(2).joined(separator: "."))
    }

    private var verificationHost: String { "_railway-verify" + (zone.host.isEmpty ? "" : ".\(zone.host)") }

    var object: RailwayFields {
        RailwayFields([
            "id": .text(id), "domain": .text(domain), "serviceId": .text(key.serviceID),
            "environmentId": .text(key.environmentID), "projectId": .text(projectID), "targetPort": .number(targetPort),
            "syncStatus": .text("ACTIVE"), "createdAt": .time(createdAt), "updatedAt": .time(createdAt),
            "status": .object(
                RailwayFields([
                    "verified": .flag(isVerified),
                    "certificateStatus": .text(
                        "CERTIFICATE_STATUS_TYPE_" + (isVerified ? "VALID" : "VALIDATING_OWNERSHIP")),
                    "verificationDnsHost": .text(verificationHost),
                    "verificationToken": .text("railway-verify=\(token)"),
                    "dnsRecords": .list([.object(record)]),
                ])),
        ])
    }

    private var record: RailwayFields {
        let target = "\(token.prefix(8)).up.railway.app"
        return RailwayFields([
            "recordType": .text("DNS_RECORD_TYPE_CNAME"), "hostlabel": .text(zone.host), "fqdn": .text(domain),
            "zone": .text(zone.name), "requiredValue": .text(target), "currentValue": .text(isVerified ? target : ""),
            "purpose": .text("DNS_RECORD_PURPOSE_TRAFFIC_ROUTE"),
            "status": .text("DNS_RECORD_STATUS_" + (isVerified ? "PROPAGATED" : "REQUIRES_UPDATE")),
        ])
    }
}

extension RailwayState.Proxy {
    var object: RailwayFields {
        RailwayFields([
            "id": .text(id), "domain": .text(RailwayPlatform.host), "proxyPort": .number(proxyPort),
            "applicationPort": .number(applicationPort), "serviceId": .text(key.serviceID),
            "environmentId": .text(key.environmentID), "syncStatus": .text("ACTIVE"), "createdAt": .time(createdAt),
            "updatedAt": .time(createdAt),
        ])
    }
}

extension RailwayDeployment.Line {
    func object(of deployment: RailwayDeployment) -> RailwayFields {
        RailwayFields([
            "timestamp": .text(timestamp), "message": .text(message), "severity": .text(severity),
            "attributes": .list([.object(RailwayFields(["key": .text("level"), "value": .text(severity)]))]),
            "tags": .object(
                RailwayFields([
                    "deploymentId": .text(deployment.id), "projectId": .text(deployment.projectID),
                    "serviceId": .text(deployment.key.serviceID),
                    "environmentId": .text(deployment.key.environmentID),
                ])),
        ])
    }
}

extension GraphQLValue {
    /// A Relay connection: https://relay.dev/graphql/connections.htm
    static func page<Item>(
        of items: [Item], _ arguments: JSONObject, id: (Item) -> String, _ object: (Item) -> any GraphQLObject
    ) throws(GraphQLError) -> GraphQLValue {
        var range = items.indices
        if let after = arguments["after"]?.stringValue {
            guard let index = items.firstIndex(where: { id($0) == after }) else { throw .refused("Invalid cursor") }
            range = max(range.lowerBound, index + 1)..<range.upperBound
        }
        if let before = arguments["before"]?.stringValue {
            guard let index = items.firstIndex(where: { id($0) == before }) else { throw .refused("Invalid cursor") }
            range = range.lowerBound..<max(range.lowerBound, index)
        }
        if let first = arguments["first"]?.integerValue {
            guard first >= 0 else { throw .refused("first must not be negative") }
            range = range.lowerBound..<min(range.upperBound, range.lowerBound + Int(first))
        }
        if let last = arguments["last"]?.integerValue {
            guard last >= 0 else { throw .refused("last must not be negative") }
            range = max(range.lowerBound, range.upperBound - Int(last))..<range.upperBound
        }
        let edges = items[range].map { item -> GraphQLValue in
            .object(RailwayFields(["cursor": .text(id(item)), "node": .object(object(item))]))
        }
        let pageInfo = RailwayFields([
            "hasNextPage": .flag(range.upperBound < items.count), "hasPreviousPage": .flag(range.lowerBound > 0),
            "startCursor": .text(items[range].first.map(id)), "endCursor": .text(items[range].last.map(id)),
        ])
        return .object(RailwayFields(["edges": .list(edges), "pageInfo": .object(pageInfo)]))
    }
}
