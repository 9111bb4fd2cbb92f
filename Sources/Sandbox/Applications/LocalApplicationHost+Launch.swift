import Domain
import Glibc

extension LocalApplicationHost {
    typealias OnLog = @Sendable (ApplicationLogStream, String) -> Void

    /// How long an application may take to end when it is asked to.
    private static let grace: Duration = .seconds(3)
    private static let pause: Duration = .milliseconds(50)

    /// Unpacks, starts and waits until it is healthy. Leaves nothing where it throws.
    func launch(
        _ application: ApplicationSpecification, _ exits: AsyncStream<ApplicationExit>.Continuation,
        _ onLog: @escaping OnLog
    ) async throws(ApplicationFailure) -> Application {
        try check(application)
        let build = try await OffPool.run("app-build") { [self] () throws(ApplicationFailure) in
            try self.build(application, onLog)
        }
        do throws(ApplicationFailure) {
            try checkCancellation()
            let environment = try ApplicationEnvironment(application, build.layout)
            if let other = application.replaces { await stop(other) }
            guard ApplicationProbe(port: application.port).look() == .silent else {
                throw ApplicationFailure(.deploy, "port \(application.port) is taken by another program")
            }
            let process = try await ApplicationProcess.start(
                arguments(application, build, environment), environment: environment.bytes, onLog: onLog
            ) { exits.end(with: $0) }
            do throws(ApplicationFailure) {
                try await waitUntilHealthy(application, process, environment)
            } catch {
                await end(process)
                throw error
            }
            return Application(process: process, layout: build.layout, user: build.user, exits: exits)
        } catch {
            await dispose(build.layout, build.user)
            throw error
        }
    }

    /// Asks the application to end, and ends it when it does not in time. Also where the task is cancelled.
    func end(_ process: ApplicationProcess) async {
        process.signal(SIGTERM)
        async let harder: Void = endHarder(process)
        await process.ended()
        // Leaving cancels the wait.
        await harder
    }

    private func endHarder(_ process: ApplicationProcess) async {
        // Cut short where the application has ended, or where nobody may wait.
        try? await clock.sleep(for: Self.grace)
        process.signal(SIGQUIT)
    }

    /// Removes the files and frees the user.
    func dispose(_ layout: ApplicationLayout, _ user: ApplicationUser) async {
        _ = try? await OffPool.run("app-removal") { [directory] () throws(ApplicationFailure) in
            directory.remove(layout)
        }
        users.release(user)
    }
}

// MARK: - Building

extension LocalApplicationHost {
    struct Build: Sendable {
        let layout: ApplicationLayout
        let user: ApplicationUser
        let start: ApplicationStart
    }

    private func check(_ application: ApplicationSpecification) throws(ApplicationFailure) {
        guard (1...65_535).contains(application.port) else {
            throw ApplicationFailure(.deploy, "port \(application.port) does not exist")
        }
        if let path = application.healthcheckPath {
            guard path.hasPrefix("/"), path.utf8.allSatisfy({ 33...126 ~= $0 }) else {
                throw ApplicationFailure(.deploy, "the health check's path is no path")
            }
        }
        guard unsafe access(runner, X_OK) == 0 else {
            throw ApplicationFailure(.build, "the program that runs applications is missing: \(runner)")
        }
    }

    /// Blocks.
    private func build(
        _ application: ApplicationSpecification, _ onLog: OnLog
    ) throws(ApplicationFailure) -> Build {
        let user = try users.take()
        let layout: ApplicationLayout
        do throws(ApplicationFailure) { layout = try directory.make(application.id, for: user) } catch {
            users.release(user)
            throw error
        }
        do throws(ApplicationFailure) {
            let files = try ApplicationArchive(directory: layout.files, owner: user, limits: limits)
                .unpack(application.archive)
            onLog(.build, "unpacked \(files) file\(files == 1 ? "" : "s")")
            let start = try ApplicationStart.find(
                in: layout.files, command: application.startCommand, port: application.port
            ) { onLog(.build, $0) }
            onLog(.build, "starting \(start.reason) on port \(application.port)")
            if !user.isOther { onLog(.build, "it runs as this host's own user, for this host is not root") }
            return Build(layout: layout, user: user, start: start)
        } catch {
            directory.remove(layout)
            users.release(user)
            throw error
        }
    }

    private func arguments(
        _ application: ApplicationSpecification, _ build: Build, _ environment: ApplicationEnvironment
    ) -> [String] {
        var arguments = [
            runner, "--uid", "\(build.user.uid)", "--gid", "\(build.user.gid)", "--parent", "\(getpid())",
            "--workdir", build.layout.files, "--data", build.layout.data, "--bind", "\(application.port)",
        ]
        for port in environment.databasePorts.prefix(8) { arguments += ["--connect", "\(port)"] }
        return arguments + ["--"] + build.start.arguments
    }

    private func checkCancellation() throws(ApplicationFailure) {
        if Task.isCancelled { throw ApplicationFailure(.deploy, "the deployment was cancelled") }
    }
}

// MARK: - Coming up

extension LocalApplicationHost {
    private func waitUntilHealthy(
        _ application: ApplicationSpecification, _ process: ApplicationProcess,
        _ environment: ApplicationEnvironment
    ) async throws(ApplicationFailure) {
        let elapsed = clock.stopwatch()
        var seen = ApplicationProbe.Finding.silent
        while true {
            if let status = process.status {
                throw failure("it ended with status \(status) before it was healthy", process, environment)
            }
            seen = await look(application)
            if isHealthy(seen, application) { return }
            guard elapsed() < application.healthcheckTimeout else {
                throw failure(complaint(seen, application), process, environment)
            }
            do { try await clock.sleep(for: Self.pause) } catch {
                throw ApplicationFailure(.deploy, "the deployment was cancelled")
            }
        }
    }

    private func look(_ application: ApplicationSpecification) async -> ApplicationProbe.Finding {
        let probe = ApplicationProbe(port: application.port)
        // Connecting on loopback does not block; an answer may take its time.
        guard let path = application.healthcheckPath, probe.look() != .silent else { return probe.look() }
        let finding = try? await OffPool.run("app-probe") { () throws(ApplicationFailure) in probe.get(path) }
        return finding ?? .silent
    }

    private func isHealthy(_ finding: ApplicationProbe.Finding, _ application: ApplicationSpecification) -> Bool {
        switch finding {
        case .silent: false
        case .listening: application.healthcheckPath == nil
        case .answered(let status): (200...299).contains(status)
        }
    }

    private func complaint(_ finding: ApplicationProbe.Finding, _ application: ApplicationSpecification) -> String {
        let time = application.healthcheckTimeout
        return switch (finding, application.healthcheckPath) {
        case (.silent, _), (_, nil): "it did not listen on port \(application.port) within \(time)"
        case (.listening, let path?): "it did not answer \(path) within \(time)"
        case (.answered(let status), let path?): "it answered \(path) with \(status) for \(time)"
        }
    }

    /// With the last lines of the application, without what its environment holds.
    private func failure(
        _ what: String, _ process: ApplicationProcess, _ environment: ApplicationEnvironment
    ) -> ApplicationFailure {
        let lines = process.lastLines.joined(separator: " | ")
        guard !lines.isEmpty else { return ApplicationFailure(.deploy, "\(what); it wrote nothing") }
        let scrubbed = SecretScrubber(secrets: environment.secrets).scrubbed(lines)
        return ApplicationFailure(.deploy, "\(what); its last lines: \(scrubbed.suffix(2_000))")
    }
}

extension Clock where Duration == Swift.Duration {
    /// Tells the time since this call.
    fileprivate func stopwatch() -> () -> Duration {
        let start = now
        return { start.duration(to: now) }
    }
}

extension AsyncStream<ApplicationExit>.Continuation {
    /// It ended by itself; nothing where it was stopped, for the stream has ended then.
    fileprivate func end(with status: Int32) {
        yield(ApplicationExit(status: status))
        finish()
    }
}
