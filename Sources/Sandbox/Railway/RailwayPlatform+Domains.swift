import Domain
import Synchronization

// Ways in from outside: domains and TCP proxies.
extension RailwayPlatform {
    func createServiceDomain(_ input: JSON) async throws(GraphQLError) -> RailwayFields {
        let key = RailwayState.Instance.Key(input)
        let port = try await port(of: key)
        let (id, now) = (makeID(), wallClock.now())
        return try change { state throws(GraphQLError) in
            _ = try state.instance(key)
            try RailwayState.checkRoom(state.serviceDomains.count)
            let domain = RailwayState.ServiceDomain(
                id: id, key: key, domain: "\(Self.host):\(port)",
                targetPort: input["targetPort"]?.integerValue.map { Int($0) }, createdAt: now)
            state.serviceDomains.append(domain)
            return domain.object
        }
    }

    func deleteServiceDomain(_ id: String) throws(GraphQLError) {
        try change { state throws(GraphQLError) in
            guard state.serviceDomains.contains(where: { $0.id == id }) else { throw .unknown("ServiceDomain") }
            state.serviceDomains.removeAll { $0.id == id }
        }
    }

    /// The port that is kept for a service; one is looked for where it has none.
    func port(of key: RailwayState.Instance.Key) async throws(GraphQLError) -> Int {
        let state = now
        if let port = try state.instance(key).port { return port }
        guard let port = await PortReservation.free(besides: Set(state.instances.compactMap(\.port))) else {
            throw .refused("No port is free")
        }
        let time = wallClock.now()
        return try change { state throws(GraphQLError) in
            // Somebody else may have been quicker, for this service or with this port.
            if let port = try state.instance(key).port { return port }
            guard !state.instances.contains(where: { $0.port == port }) else { throw .refused("No port is free") }
            state.update(key, at: time) { $0.port = port }
            return port
        }
    }

    func availability(of domain: String) -> RailwayFields {
        let message = Self.domainProblem(domain) ?? conflict(domain, in: now)
        return RailwayFields([
            "available": .flag(message == nil), "message": .text(message ?? "Domain is available"),
        ])
    }

    func createCustomDomain(_ input: JSON) throws(GraphQLError) -> RailwayFields {
        let domain = (input["domain"]?.stringValue ?? "").lowercased()
        if let problem = Self.domainProblem(domain) { throw .refused(problem) }
        if let conflict = conflict(domain, in: now) { throw .refused(conflict) }
        let (id, token, time) = (makeID(), makeID().filter { $0 != "-" }, wallClock.now())
        return try change { state throws(GraphQLError) in
            let project = try state.project(input["projectId"]?.stringValue ?? "")
            let key = RailwayState.Instance.Key(input)
            _ = try state.instance(key)
            guard !state.customDomains.contains(where: { $0.domain == domain }) else { throw .refused(Self.taken) }
            try RailwayState.checkRoom(state.customDomains.count)
            let custom = RailwayState.CustomDomain(
                id: id, key: key, projectID: project.id, domain: domain,
                targetPort: input["targetPort"]?.integerValue.map { Int($0) },
                token: String(token.reversed()), createdAt: time)
            state.customDomains.append(custom)
            return custom.object
        }
    }

    func deleteCustomDomain(_ id: String) throws(GraphQLError) {
        try change { state throws(GraphQLError) in
            guard state.customDomains.contains(where: { $0.id == id }) else { throw .unknown("CustomDomain") }
            state.customDomains.removeAll { $0.id == id }
        }
    }

    /// What the owner of a domain does at its registrar: the records are there from now on.
    func verify(_ domain: String) throws(ControlRefusal) {
        do {
            try change { state throws(GraphQLError) in
                let index = state.customDomains.firstIndex { $0.domain == domain.lowercased() }
                guard let index else { throw .unknown("Domain") }
                state.customDomains[index].isVerified = true
            }
        } catch {
            throw ControlRefusal("there is no custom domain \"\(domain)\"", isUnknown: true)
        }
    }

    private static let taken = "Domain is already in use"

    /// Why nobody here may have the domain.
    private func conflict(_ domain: String, in state: RailwayState) -> String? {
        let isTaken = state.customDomains.contains { $0.domain == domain.lowercased() }
        return isTaken || faults.take(.railway, prompt: domain, at: .domain) != nil ? Self.taken : nil
    }

    private static func domainProblem(_ domain: String) -> String? {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        let isGood =
            labels.count >= 2 && domain.utf8.count <= 253
            && labels.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9\-]{0,61}[A-Za-z0-9])?/) != nil }
        return isGood ? nil : "Invalid domain"
    }

    func createProxy(_ input: JSON) async throws(GraphQLError) -> RailwayFields {
        let key = RailwayState.Instance.Key(input)
        _ = try now.instance(key)
        guard let listener = try? await DatabaseProxy.listen() else { throw .refused("No port is free") }
        let proxy = RailwayState.Proxy(
            id: makeID(), key: key, applicationPort: Int(input["applicationPort"]?.integerValue ?? 0),
            proxyPort: listener.port, createdAt: wallClock.now())
        guard work.begin({ await listener.run() }) else {
            await listener.close()
            // Its channel has to be consumed, whatever comes of it.
            await listener.run()
            throw .refused("The sandbox is shutting down")
        }
        do throws(GraphQLError) {
            try change { state throws(GraphQLError) in
                _ = try state.instance(key)
                try RailwayState.checkRoom(state.proxies.count)
                state.proxies.append(proxy)
            }
        } catch {
            await listener.close()
            throw error
        }
        listeners.withLock { $0[proxy.id] = listener }
        leadProxies(of: key)
        return proxy.object
    }

    func deleteProxy(_ id: String) async throws(GraphQLError) {
        try change { state throws(GraphQLError) in
            guard state.proxies.contains(where: { $0.id == id }) else { throw .unknown("TCPProxy") }
            state.proxies.removeAll { $0.id == id }
        }
        await listeners.withLock { $0.removeValue(forKey: id) }?.close()
    }

    /// Points the proxies of a service at its database, if it has one.
    func leadProxies(of key: RailwayState.Instance.Key) {
        let state = now
        guard let instance = try? state.instance(key) else { return }
        let credentials = DatabaseCredentials(state.clientVariables(key))
        let route = instance.database.flatMap { database in
            credentials.map { DatabaseProxy.Route(user: $0.user, database: $0.database, target: database) }
        }
        for proxy in state.proxies where proxy.key == key {
            listeners.withLock { $0[proxy.id] }?.lead(to: proxy.applicationPort == 5_432 ? route : nil)
        }
    }
}

extension RailwayState.Instance.Key {
    /// The service and environment that an input names.
    init(_ input: JSON) {
        self.init(
            serviceID: input["serviceId"]?.stringValue ?? "", environmentID: input["environmentId"]?.stringValue ?? "")
    }
}
