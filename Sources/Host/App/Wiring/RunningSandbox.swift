import Domain
import Logging
import Sandbox
import ServiceLifecycle
import UnixSignals

/// The sandbox beside a host, or alone.
struct RunningSandbox: Sendable {
    let address: SandboxAddress
    let applications: SandboxApplications

    /// Runs `body` with a sandbox beside it.
    ///
    /// - Parameter folder: where deployed applications live.
    static func with(
        _ options: SandboxOptions, folder: String, logger: Logger, _ body: (RunningSandbox) async throws -> Void
    ) async throws {
        let applications = SandboxApplications(folder: folder, logger: logger)
        let server = try options.makeSandbox(applications: applications, logger: logger)
        // It hears no signal: it stops when everything that calls it has stopped.
        let services = ServiceGroup(services: [server], logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                let address = try await server.waitUntilListening()
                do { try await body(RunningSandbox(address: address, applications: applications)) } catch {
                    await services.triggerGracefulShutdown()
                    throw error
                }
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        } catch {
            await applications.shutdown()
            throw error
        }
        await applications.shutdown()
    }

    /// Serves the sandbox alone until it is stopped.
    static func serve(
        _ options: SandboxOptions, port: Int, folder: String, logger: Logger,
        ready: @escaping @Sendable (SandboxAddress) -> Void
    ) async throws {
        let applications = SandboxApplications(folder: folder, logger: logger)
        let server = try options.makeSandbox(port: port, applications: applications, logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { ready(try await server.waitUntilListening()) }
                let services = ServiceGroup(
                    services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
                try await services.run()
            }
        } catch {
            await applications.shutdown()
            throw error
        }
        await applications.shutdown()
    }
}

/// How the sandbox behaves beside a host.
struct SandboxOptions: Sendable {
    var latency = Latency()
    var faults = FaultScript()

    /// As quick as the machine is.
    static let standard = SandboxOptions()
    /// Slow enough to be watched.
    static let lifelike = SandboxOptions(latency: Latency(initial: .milliseconds(300), perChunk: .milliseconds(5)))

    /// The same with the faults that a file describes.
    func meeting(faultsIn path: String?) throws -> SandboxOptions {
        guard let path else { return self }
        guard let text = File.read(path, limit: 1 << 20) else {
            throw StartFailure("the faults \(path) cannot be read, or are longer than 1 MiB")
        }
        var options = self
        do { options.faults = try FaultScript(text) } catch { throw StartFailure("\(path): \(error)") }
        return options
    }

    /// A sandbox that gives the answers that ship with the templates, on any port.
    func makeSandbox(port: Int = 0, applications: any ApplicationHost, logger: Logger) throws -> Sandbox {
        try Sandbox(
            configuration: Sandbox.Configuration(port: port, latency: latency, faults: faults),
            fixtures: Installation.answers(),
            applications: applications, logger: logger)
    }
}
