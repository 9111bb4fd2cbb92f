import Domain
import Logging
import Synchronization
import Threads

extension PluginRegistry {
    /// Loads one plugin and starts it: checks the file and the manifest, loads a sealed copy of the library, shakes
    /// hands, checks the settings, and creates the instance. Foreign code runs on the plugin's own thread; the host
    /// stays whole whatever becomes of it.
    ///
    /// - Parameter settings: what the operator configured for the plugin of this manifest.
    /// - Throws: why the plugin is not loaded. A library that failed after it was opened stays in memory.
    @discardableResult
    public func load(
        _ path: String, settings: (PluginManifest) throws -> PluginSettings
    ) async throws(PluginRefusal) -> PluginManifest {
        let sidecar = try PluginLibrary.sidecar(of: path)
        var reserved: PluginManifest?
        if let sidecar {
            let manifest = try PluginLibrary.parseManifest(sidecar.bytes, file: sidecar.path, of: path)
            try reserve(manifest, path)
            reserved = manifest
        }
        do throws(PluginRefusal) {
            let thread = try Self.makeThread(path)
            let library = try await open(path, sidecar: sidecar, on: thread)
            if reserved == nil {
                try reserve(library.manifest, path)
                reserved = library.manifest
            }
            do throws(PluginRefusal) {
                try await start(library, try Self.ask(settings, library.manifest, path), on: thread)
            } catch {
                thread.stop()
                throw error
            }
            return library.manifest
        } catch {
            if let reserved { state.withLock { _ = $0.reserved.removeValue(forKey: reserved.id) } }
            throw error
        }
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
        case .failure(let refusal)?:
            thread.stop()
            throw refusal
        case nil: throw hangs(path, "loading it")
        }
    }

    private func hangs(_ path: String, _ what: String) -> PluginRefusal {
        PluginRefusal(
            .failed, path, "\(what) did not end within \(environment.patience)",
            fix: "It blocks in its initialisers or in create; neither may.")
    }

    /// Takes the plugin's id and steps, so that a second load of the same ones is refused at once.
    private func reserve(_ manifest: PluginManifest, _ path: String) throws(PluginRefusal) {
        let keys = manifest.serves.map(\.key)
        let refusal: PluginRefusal? = state.withLock { state in
            if state.isShutDown {
                return PluginRefusal(.failed, path, "the host is shutting down", fix: "Start it again.")
            }
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
        let manifest = library.manifest
        guard settings.isEnabled else {
            thread.stop()
            return publish(library, routes: [:], nil, .disabled)
        }
        let configuration = try Self.validated(settings.configuration, of: library)
        try Self.checkSecrets(settings.secrets, of: library)
        let egress = EgressPolicy(
            hosts: manifest.egress, origins: manifest.configuration.origins(in: configuration))
        let instance = PluginInstance(
            library, egress: egress, secrets: settings.secrets, thread: thread, environment: environment)
        let created = await thread.run(within: environment.patience, environment.timers) {
            instance.create(configuration)
        }
        switch created {
        case .success?: publish(library, routes: manifest.routes(configuration: configuration), instance, .healthy)
        case .failure(let refusal)?: throw refusal
        case nil: throw hangs(library.image.path, "create")
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

    private func publish(
        _ library: PluginLibrary, routes: [RouteKey: Route], _ instance: PluginInstance?, _ health: PluginHealth
    ) {
        let manifest = library.manifest
        state.withLock { state in
            state.reserved[manifest.id] = nil
            state.plugins[manifest.id] = Plugin(
                path: library.image.path, digest: library.image.digest, manifest: manifest, routes: routes,
                instance: instance, health: health)
            state.order.append(manifest.id)
        }
        environment.logger.info(
            "a plugin was loaded",
            metadata: [
                "plugin": "\(manifest.id)", "version": "\(manifest.version)", "path": "\(library.image.path)",
                "sha256": "\(library.image.digest)", "enabled": "\(instance != nil)",
            ])
    }
}
