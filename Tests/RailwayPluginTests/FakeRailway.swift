import PluginKit
import PluginTestHost

/// Railway as far as the plugin sees it: state, and what the test wants to go wrong.
final class FakeRailway {
    struct Request {
        /// The operation's name, or `upload`.
        let name: String
        let variables: JSON
        let sent: FakeHost.Sent
    }

    struct Deployment {
        let id: String
        let service: String
        let message: String?
        /// One a look; the last stays.
        var statuses: [String]
    }

    private(set) var requests: [Request] = []
    /// Asked first; nil leaves the request to the state below.
    var intervene: ((Request) -> FakeHost.Answer?)?
    /// After an upload or a mutation of this name was carried out its answer is lost.
    var losesAnswer: String?
    /// The call is cancelled instead of this operation.
    var stopsAt: String?

    var projects: [(id: String, name: String, environment: String)] = []
    var services: [(id: String, name: String, project: String)] = []
    var volumes: [(id: String, service: String)] = []
    var proxies: [(service: String, statuses: [String])] = []
    var variables: [String: JSONObject] = [:]
    var serviceDomains: [String: String] = [:]
    var customDomains: [(id: String, domain: String, service: String, status: JSON)] = []
    var takenDomains: Set<String> = []
    var deployments: [Deployment] = []
    /// The statuses that the next deployments go through.
    var course = ["QUEUED", "BUILDING", "DEPLOYING", "SUCCESS"]
    /// What each further look at a log finds at its end.
    var buildLog: [[JSON]] = []
    var deployLog: [[JSON]] = []
    var pageSize = 2
    private var lastID = 0

    var names: [String] { requests.map(\.name) }
    func count(_ name: String) -> Int { names.count { $0 == name } }
    func first(_ name: String) -> Request? { requests.first { $0.name == name } }

    func answer(_ sent: FakeHost.Sent) -> FakeHost.Answer? {
        let isUpload = sent.headers["content-type"] == "application/gzip"
        let body = sent.body
        let request = Request(
            name: isUpload ? "upload" : body["operationName"]?.stringValue ?? "?",
            variables: body["variables"] ?? .null, sent: sent)
        requests.append(request)
        if request.name == stopsAt { return nil }
        if let answer = intervene?(request) { return answer }
        let answer = isUpload ? upload(sent) : graphQL(request)
        guard losesAnswer == request.name else { return answer }
        losesAnswer = nil
        return FakeHost.Answer(isBroken: true)
    }

    static func data(_ field: String, _ value: JSON) -> FakeHost.Answer {
        var data = JSONObject()
        data[field] = value
        let body: JSON = ["data": .object(data)]
        return FakeHost.Answer(body: body.text)
    }

    static func error(_ message: String) -> FakeHost.Answer {
        let body: JSON = ["data": .null, "errors": [["message": .string(message)]]]
        return FakeHost.Answer(body: body.text)
    }

    private func graphQL(_ request: Request) -> FakeHost.Answer {
        guard let (field, value) = projectAnswer(request) ?? serviceAnswer(request) ?? domainAnswer(request) else {
            return Self.error("Not Found")
        }
        return Self.data(field, value)
    }

    private func makeID(_ kind: String) -> String {
        lastID += 1
        return "\(kind)-\(lastID)"
    }

    private func edges(_ nodes: [JSON]) -> JSON { ["edges": .array(nodes.map { ["node": $0] })] }

    private func project(_ project: (id: String, name: String, environment: String)) -> JSON {
        [
            "id": .string(project.id), "name": .string(project.name), "deletedAt": .null,
            "environments": edges([["id": .string("env-" + project.id), "name": .string(project.environment)]]),
            "services": edges(
                services.filter { $0.project == project.id }
                    .map { ["id": .string($0.id), "name": .string($0.name), "deletedAt": .null] }),
        ]
    }

    private func projectAnswer(_ request: Request) -> (String, JSON)? {
        let id = request.variables["id"]?.stringValue
        let input = request.variables["input"]
        switch request.name {
        case "Projects":
            let start = request.variables["after"]?.stringValue.flatMap(Int.init) ?? 0
            let page = projects.dropFirst(start).prefix(pageSize)
            let nodes = page.enumerated().map { index, project -> JSON in
                [
                    "id": .string(project.id), "name": .string(project.name), "deletedAt": .null,
                    "createdAt": .string("2026-11-23T10:0\(start + index):00.000Z"),
                ]
            }
            let end = start + page.count
            let pageInfo: JSON = ["hasNextPage": .bool(end < projects.count), "endCursor": .string("\(end)")]
            return ("projects", ["edges": edges(nodes)["edges"] ?? .null, "pageInfo": pageInfo])
        case "Project": return projects.first { $0.id == id }.map { ("project", project($0)) }
        case "ProjectCreate":
            projects.append(
                (
                    makeID("project"), input?["name"]?.stringValue ?? "",
                    input?["defaultEnvironmentName"]?.stringValue ?? "production"
                ))
            return projects.last.map { ("projectCreate", project($0)) }
        case "ProjectDelete":
            guard projects.contains(where: { $0.id == id }) else { return nil }
            projects.removeAll { $0.id == id }
            services.removeAll { $0.project == id }
            return ("projectDelete", true)
        default: return nil
        }
    }

    private func serviceAnswer(_ request: Request) -> (String, JSON)? {
        let input = request.variables["input"]
        let service = (request.variables["serviceId"] ?? input?["serviceId"])?.stringValue ?? ""
        switch request.name {
        case "ServiceCreate":
            let id = makeID("service")
            services.append((id, input?["name"]?.stringValue ?? "", input?["projectId"]?.stringValue ?? ""))
            return ("serviceCreate", ["id": .string(id)])
        case "ServiceDelete":
            let id = request.variables["id"]?.stringValue
            guard services.contains(where: { $0.id == id }) else { return nil }
            services.removeAll { $0.id == id }
            return ("serviceDelete", true)
        case "ServiceInstanceUpdate": return ("serviceInstanceUpdate", true)
        case "Variables": return ("variables", .object(variables[service] ?? JSONObject()))
        case "VariableCollectionUpsert":
            for member in input?["variables"]?.objectValue?.members ?? [] {
                variables[service, default: JSONObject()][member.key] = member.value
            }
            return ("variableCollectionUpsert", true)
        case "ServiceInstanceDeploy":
            deployments.append(
                Deployment(id: makeID("deployment"), service: service, message: nil, statuses: course))
            return ("serviceInstanceDeployV2", .string(deployments.last?.id ?? ""))
        default: return deploymentAnswer(request, service) ?? databaseAnswer(request, service)
        }
    }

    private func upload(_ sent: FakeHost.Sent) -> FakeHost.Answer {
        let parts = sent.url.split(whereSeparator: { "?&".contains($0) })
        func value(_ name: String) -> String? {
            parts.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        let id = makeID("deployment")
        deployments.append(
            Deployment(
                id: id, service: value("serviceId") ?? "",
                message: value("message")?.replacing("%2F", with: "/"), statuses: course))
        let body: JSON = ["deploymentId": .string(id), "url": "", "logsUrl": "", "deploymentDomain": ""]
        return FakeHost.Answer(body: body.text)
    }

    private func deploymentAnswer(_ request: Request, _ service: String) -> (String, JSON)? {
        switch request.name {
        case "Deployments":
            let nodes = deployments.enumerated().filter { $1.service == service }.map { index, deployment -> JSON in
                [
                    "id": .string(deployment.id), "status": .string(deployment.statuses.first ?? ""),
                    "createdAt": .string("2026-11-23T10:00:0\(index).000Z"),
                    "meta": deployment.message.map { ["cliMessage": .string($0)] } ?? .null,
                ]
            }
            return ("deployments", edges(nodes))
        case "Deployment":
            let id = request.variables["id"]?.stringValue
            guard let index = deployments.firstIndex(where: { $0.id == id }) else { return nil }
            let status = deployments[index].statuses.first ?? ""
            if deployments[index].statuses.count > 1 { deployments[index].statuses.removeFirst() }
            return ("deployment", ["id": .string(id ?? ""), "status": .string(status)])
        case "BuildLogs": return ("buildLogs", page(of: &buildLog, request))
        case "DeploymentLogs": return ("deploymentLogs", page(of: &deployLog, request))
        default: return nil
        }
    }

    /// All that was written so far, from the date that the request names on.
    private func page(of log: inout [[JSON]], _ request: Request) -> JSON {
        if log.count > 1 { log = [log[0] + log[1]] + log.dropFirst(2) }
        let start = request.variables["startDate"]?.stringValue ?? ""
        return .array((log.first ?? []).filter { ($0["timestamp"]?.stringValue ?? "") >= start })
    }

    private func databaseAnswer(_ request: Request, _ service: String) -> (String, JSON)? {
        switch request.name {
        case "Volumes":
            let nodes = volumes.map { volume -> JSON in
                ["volumeId": .string(volume.id), "serviceId": .string(volume.service), "deletedAt": .null]
            }
            return ("environment", ["volumeInstances": edges(nodes)])
        case "VolumeCreate":
            volumes.append((makeID("volume"), service))
            return ("volumeCreate", ["id": .string(volumes.last?.id ?? "")])
        case "VolumeDelete":
            let id = request.variables["volumeId"]?.stringValue
            guard volumes.contains(where: { $0.id == id }) else { return nil }
            volumes.removeAll { $0.id == id }
            return ("volumeDelete", true)
        case "TcpProxies":
            let list = proxies.indices.filter { proxies[$0].service == service }.map { index -> JSON in
                defer { if proxies[index].statuses.count > 1 { proxies[index].statuses.removeFirst() } }
                return proxy(status: proxies[index].statuses[0])
            }
            return ("tcpProxies", .array(list))
        case "TcpProxyCreate":
            proxies.append((service, ["CREATING", "CREATING", "ACTIVE"]))
            return ("tcpProxyCreate", proxy(status: "CREATING"))
        default: return nil
        }
    }

    private func proxy(status: String) -> JSON {
        [
            "id": "proxy-1", "domain": "roundhouse.proxy.rlwy.net", "proxyPort": 11_105, "applicationPort": 5_432,
            "syncStatus": .string(status), "deletedAt": .null,
        ]
    }

    private func domainAnswer(_ request: Request) -> (String, JSON)? {
        let input = request.variables["input"]
        let service = (request.variables["serviceId"] ?? input?["serviceId"])?.stringValue ?? ""
        switch request.name {
        case "Domains":
            let given = serviceDomains[service].map { ["id": "d", "domain": .string($0), "deletedAt": .null] as JSON }
            return (
                "domains",
                [
                    "serviceDomains": .array(given.map { [$0] } ?? []),
                    "customDomains": .array(customDomains.filter { $0.service == service }.map(customDomain)),
                ]
            )
        case "ServiceDomainCreate":
            serviceDomains[service] = "app-production.up.railway.app"
            return ("serviceDomainCreate", ["id": "d", "domain": "app-production.up.railway.app", "deletedAt": .null])
        case "CustomDomainAvailable":
            let isTaken = takenDomains.contains(request.variables["domain"]?.stringValue ?? "")
            return (
                "customDomainAvailable", ["available": .bool(!isTaken), "message": isTaken ? "Domain is taken" : ""]
            )
        case "CustomDomainCreate":
            customDomains.append((makeID("domain"), input?["domain"]?.stringValue ?? "", service, Self.pendingDNS))
            return customDomains.last.map { ("customDomainCreate", customDomain($0)) }
        case "CustomDomainDelete":
            let id = request.variables["id"]?.stringValue
            guard customDomains.contains(where: { $0.id == id }) else { return nil }
            customDomains.removeAll { $0.id == id }
            return ("customDomainDelete", true)
        default: return nil
        }
    }

    private func customDomain(_ domain: (id: String, domain: String, service: String, status: JSON)) -> JSON {
        [
            "id": .string(domain.id), "domain": .string(domain.domain), "deletedAt": .null, "status": domain.status,
        ]
    }

    static let pendingDNS = status(verified: false, record: "DNS_RECORD_STATUS_REQUIRES_UPDATE")

    static func status(
        verified: Bool, record: String, certificate: String = "CERTIFICATE_STATUS_TYPE_ISSUING",
        host: String = "_railway-verify.app.example.com"
    ) -> JSON {
        [
            "verified": .bool(verified), "certificateStatus": .string(certificate),
            "verificationDnsHost": .string(host), "verificationToken": "railway-verify=t0k",
            "dnsRecords": [
                [
                    "recordType": "DNS_RECORD_TYPE_CNAME", "hostlabel": "app", "fqdn": "app.example.com",
                    "zone": "example.com",
                    "requiredValue": "x1.up.railway.app", "status": .string(record),
                ]
            ],
        ]
    }
}
