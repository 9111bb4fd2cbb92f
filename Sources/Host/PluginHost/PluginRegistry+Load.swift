import Domain
import Logging
import Synchronization
import Threads

extension PluginRegistry {
    /// Loads one plugin and starts it: checks the file and the manifest, loads a sealed copy of the library, shakes
    /// hands, checks the settings, and creates the instance. Foreign code runs on the plugin's own thread; the host
    /// stays whole whatever becomes of it. None of it runs where a manifest beside the library names a plugin that the
    /// settings disable.
    ///
    /// - Parameter settings: what the operator configured for the plugin of this manifest.
    /// - Throws: why the plugin is not loaded. A library that failed after it was opened stays in memory.
    @discardableResult
    public func load(
        _ path: String, settings: (PluginManifest) throws -> PluginSettings
    ) async throws(PluginRefusal) -> PluginManifest {
        try beginLoad(path)
        defer { endLoad() }
        let thread = try Self.makeThread(path)
        var reserved: PluginManifest?
        do throws(PluginRefusal) {
            func answer(to manifest: PluginManifest) throws(PluginRefusal) -> PluginSettings {
                let answer = try Self.ask(settings, manifest, path)
                try reserve(manifest, serving: answer.isEnabled ? manifest.serves.map(\.key) : [], path)
                reserved = manifest
                return answer
            }
            guard let sidecar = try PluginLibrary.sidecar(of: path) else {
                let library = try await open(path, sidecar: nil, on: thread)
                try await start(library, try answer(to: library.manifest), on: thread)
                return library.manifest
            }
            let manifest = try PluginLibrary.parseManifest(sidecar.bytes, file: sidecar.path, of: path)
            let settings = try answer(to: manifest)
            if settings.isEnabled {
                try await start(try await open(path, sidecar: sidecar, on: thread), settings, on: thread)
            } else {
                try await publishDisabled(manifest, path, on: thread)
            }
            return manifest
        } catch {
            thread.stop()
            if let reserved { state.withLock { _ = $0.reserved.removeValue(forKey: reserved.id) } }
            throw error
        }
    }

    /// Counts a load in progress: a shutdown waits for its end.
    private func beginLoad(_ path: String) throws(PluginRefusal) {
        let isOpen = state.withLock { state in
            if !state.isShutDown { state.loads += 1 }
            return !state.isShutDown
        }
        guard isOpen else { throw Self.shuttingDown(path) }
    }

    private func endLoad() {
        let isLast = state.withLock { state in
            state.loads -= 1
            return state.isShutDown && state.loads == 0
        }
        if isLast { idle.open() }
    }

    private static func shuttingDown(_ path: String) -> PluginRefusal {
        PluginRefusal(.failed, path, "the host is shutting down", fix: "Start it again.")
    }

    private static func makeThread(_ path: String) throws(PluginRefusal) -> SerialThread {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        do throws(OwnedThread.Unavailable) {
            return try SerialThread(name: name)
        } catch {
            throw PluginRefusal(
                .failed, path, "\(error)", fix: "Raise the host's limit on threads.")
        }
    }

    private func open(
        _ path: String, sidecar: (path: String, bytes: [UInt8])?, on thread: SerialThread
    ) async throws(PluginRefusal) -> PluginLibrary {
        let library = await thread.run(within: environment.patience, environment.timers) {
            Result { () throws(PluginRefusal) in
                try PluginLibrary(try LibraryImage(path: path), sidecar: sidecar)
            }
        }
        switch library {
        case .success(let library)?: return library
        case .failure(let refusal)?: throw refusal
        case nil: throw hangs(path, "loading it")
        }
    }

    /// Lists a plugin without opening its library.
    private func publishDisabled(
        _ manifest: PluginManifest, _ path: String, on thread: SerialThread
    ) async throws(PluginRefusal) {
        let digest = await thread.run(within: environment.patience, environment.timers) {
            Result { () throws(PluginRefusal) in try LibraryImage.digest(of: path) }
        }
        thread.stop()
        guard let digest else {
            throw PluginRefusal(
                .notFound, path, "reading it did not end within \(environment.patience)", fix: "Check its file system.")
        }
        try publish(
            Plugin(
                path: path, digest: try digest.get(), manifest: manifest, routes: [:], instance: nil, health: .disabled)
        )
    }

    private func hangs(_ path: String, _ what: String) -> PluginRefusal {
        PluginRefusal(
            .failed, path, "\(what) did not end within \(environment.patience)",
            fix: "It blocks in its initialisers or in create; neither may.")
    }

    /// Takes the plugin's id and steps, so that a second load of the same ones is refused at once.
    private func reserve(
        _ manifest: PluginManifest, serving keys: [RouteKey], _ path: String
    ) throws(PluginRefusal) {
        let refusal: PluginRefusal? = state.withLock { state in
            var taken = state.reserved.map { (id: $0.key, path: $0.value.path, keys: $0.value.keys) }
            taken += state.plugins.map { ($0.key, $0.value.path, Array($0.value.routes.keys)) }
            if let other = taken.first(where: { $0.id == manifest.id }) {
                return PluginRefusal(
                    .duplicate, path, "its id \"\(manifest.id)\" is that of \(other.path), which is loaded",
                    fix: "Load one of the two.")
            }
            for key in keys {
                guard let other = taken.first(where: { $0.keys.contains(key) }) else { continue }
                return PluginRefusal(
                    .duplicate, path,
                    "both \"\(manifest.id)\" and \"\(other.id)\" (\(other.path)) serve \(key)",
                    fix: "Disable one of the two.")
            }
            state.reserved[manifest.id] = (path, keys)
            return nil
        }
        if let refusal { throw refusal }
    }

    private static func ask(
        _ settings: (PluginManifest) throws -> PluginSettings, _ manifest: PluginManifest, _ path: String
    ) throws(PluginRefusal) -> PluginSettings {
        do {
            return try settings(manifest)
        } catch {
            throw PluginRefusal(
                .configuration, path, "its settings cannot be read: \(error)",
                fix: "Correct the settings of \"\(manifest.id)\".")
        }
    }

    private func start(
        _ library: PluginLibrary, _ settings: PluginSettings, on thread: SerialThread
    ) async throws(PluginRefusal) {
        let (manifest, image) = (library.manifest, library.image)
        func plugin(_ routes: [RouteKey: Route], _ instance: PluginInstance?, _ health: PluginHealth) -> Plugin {
            Plugin(
                path: image.path, digest: image.digest, manifest: manifest, routes: routes, instance: instance,
                health: health)
        }
        guard settings.isEnabled else {
            try publish(plugin([:], nil, .disabled))
            return thread.stop()
        }
        let configuration = try Self.validated(settings.configuration, of: library)
        try Self.checkSecrets(settings.secrets, of: library)
        let egress = EgressPolicy(
            hosts: manifest.egress, origins: manifest.configuration.origins(in: settings.configuration))
        let hosts = manifest.secrets.compactMap { secret in secret.hosts.map { (secret.name, $0) } }
        let instance = PluginInstance(
            library, egress: egress, secrets: settings.secrets.binding(Dictionary(hosts) { $1 }), thread: thread,
            environment: environment)
        let created = await thread.run(within: environment.patience, environment.timers) {
            instance.create(configuration)
        }
        switch created {
        case .success?:
            do throws(PluginRefusal) {
                try publish(plugin(manifest.routes(configuration: configuration), instance, .healthy))
            } catch {
                await instance.shutdown()
                throw error
            }
        case .failure(let refusal)?: throw refusal
        case nil:
            // Where it returns after all, what it has made is taken down again.
            thread.post { instance.destroy() }
            throw hangs(image.path, "create")
        }
    }

    private static func validated(
        _ configuration: JSON, of library: PluginLibrary
    ) throws(PluginRefusal) -> JSON {
        do throws(Diagnostics) {
            return try library.manifest.configuration.validated(configuration)
        } catch {
            let problems = error.all.map { problem in
                problem.message + (problem.suggestion.map { " (did you mean \"\($0)\"?)" } ?? "")
            }
            throw PluginRefusal(
                .configuration, library.image.path,
                "the configuration of \"\(library.manifest.id)\" is not acceptable: "
                    + problems.joined(separator: "; "),
                fix: "Correct it and start again.")
        }
    }

    private static func checkSecrets(_ secrets: SecretScope, of library: PluginLibrary) throws(PluginRefusal) {
        for secret in library.manifest.secrets where secret.isRequired {
            let isPresent = secret.uses.allSatisfy { secrets.value(of: secret.name, for: $0)?.isEmpty == false }
            guard isPresent else {
                throw PluginRefusal(
                    .secret, library.image.path,
                    "\"\(library.manifest.id)\" needs the secret \(secret.name), which is not set",
                    fix: "Set the environment variable \(secret.name), or disable the plugin.")
            }
        }
    }

    /// Puts a plugin into the table.
    private func publish(_ plugin: Plugin) throws(PluginRefusal) {
        let manifest = plugin.manifest
        let isOpen = state.withLock { state in
            guard !state.isShutDown else { return false }
            state.reserved[manifest.id] = nil
            state.plugins[manifest.id] = plugin
            state.order.append(manifest.id)
            return true
        }
        guard isOpen else { throw Self.shuttingDown(plugin.path) }
        environment.logger.info(
            "a plugin was loaded",
            metadata: [
                "plugin": "\(manifest.id)", "version": "\(manifest.version)", "path": "\(plugin.path)",
                "sha256": "\(plugin.digest)", "enabled": "\(plugin.instance != nil)",
            ])
    }
}
