import PluginKit

/// `deploy.provision_database`: PostgreSQL as Railway's own template makes it, as the service `postgres` of the
/// application's project.
struct DatabaseOperation {
    static let service = "postgres"
    /// Railway's image: PostgreSQL with TLS.
    static let image = "ghcr.io/railwayapp-templates/postgres-ssl:16"
    static let port: Int64 = 5_432
    static let mountPath = "/var/lib/postgresql/data"
    /// A folder of its own: the server refuses the root of a volume, where the file system keeps its `lost+found`.
    static let dataPath = mountPath + "/pgdata"

    let api: RailwayAPI
    let application: Application

    /// Everything is in place before the first deployment, so that one is enough.
    func run() async throws -> JSON {
        let place = try await api.ensureService(Self.service, of: application)
        var known = try await credentials(at: place)
        let deployment: String
        if let latest = try await api.deployments(at: place).first, latest.status.isAlive, known != nil {
            deployment = latest.id
        } else {
            try await api.ensureVolume(mountedAt: Self.mountPath, at: place)
            try await api.ensureProxy(ofPort: Self.port, at: place)
            if known == nil { known = try await giveCredentials(at: place) }
            try await api.update(place, image: Self.image)
            deployment = try await api.deploy(place)
        }
        guard let known else { throw PluginError(.internal, "a database without credentials") }
        var watch = DeploymentWatch(api: api, deployment: deployment, confidential: [known.password])
        _ = try await watch.untilRunning()
        return result(place, known, try await reachableProxy(at: place))
    }

    /// The result for a database that is there and runs; nil for anything less.
    func find() async throws -> JSON? {
        guard let place = try await api.place(of: Self.service, application),
            let known = try await credentials(at: place),
            let latest = try await api.deployments(at: place).first, latest.status.isRunning,
            let proxy = try await api.proxy(ofPort: Self.port, at: place), !proxy.isPending
        else { return nil }
        return result(place, known, proxy)
    }

    private func result(_ place: Place, _ credentials: Credentials, _ proxy: Proxy) -> JSON {
        [
            "engine": "postgresql", "name": .string(credentials.database),
            "secrets": ["database_url": .string(credentials.url(host: proxy.host, port: proxy.port))],
            "resource": place.resource(),
        ]
    }

    /// nil for a service that was given none yet.
    private func credentials(at place: Place) async throws -> Credentials? {
        let variables = try await api.variables(at: place)
        // Only what is surely absent is made: a server keeps the password that it began with.
        guard !variables["POSTGRES_PASSWORD"].isNull else { return nil }
        return Credentials(
            user: variables["POSTGRES_USER"].optionalText ?? "postgres",
            password: try variables["POSTGRES_PASSWORD"].text(),
            database: variables["POSTGRES_DB"].optionalText ?? "railway")
    }

    private func giveCredentials(at place: Place) async throws -> Credentials {
        let fresh = Credentials.generate()
        var variables = JSONObject()
        variables["POSTGRES_USER"] = .string(fresh.user)
        variables["POSTGRES_PASSWORD"] = .string(fresh.password)
        variables["POSTGRES_DB"] = .string(fresh.database)
        variables["PGDATA"] = .string(Self.dataPath)
        try await api.set(variables, at: place, fillsSecrets: false)
        return fresh
    }

    private func reachableProxy(at place: Place) async throws -> Proxy {
        while true {
            guard let proxy = try await api.proxy(ofPort: Self.port, at: place) else {
                throw PluginError(.upstream, "the database on Railway has no TCP proxy any more")
            }
            if !proxy.isPending { return proxy }
            try await api.call.sleep(milliseconds: api.settings.pollInterval)
        }
    }
}
