import Domain

/// What the platform needs to know of a database's service to make the database.
struct DatabaseCredentials: Sendable {
    let user: String
    let password: String
    let database: String

    /// Reads the variables of PostgreSQL's image; nil without a password, which the image insists on.
    init?(_ variables: JSONObject) {
        guard let password = variables["POSTGRES_PASSWORD"]?.stringValue, !password.isEmpty else { return nil }
        self.password = password
        user = variables["POSTGRES_USER"]?.stringValue ?? "postgres"
        database = variables["POSTGRES_DB"]?.stringValue ?? user
    }
}

// How a deployment goes: from the queue to an application that runs, or to the reason why not.
extension RailwayPlatform {
    /// - Parameter earlier: those it takes the place of, which have to be out of the way first.
    func run(_ deployment: RailwayDeployment, after earlier: [RailwayDeployment]) async {
        for other in earlier { try? await other.settled.wait(as: makeWaiter()) }
        let running = await withTaskGroup(of: RunningApplication?.self) { group in
            group.addTask { await self.carryOut(deployment) }
            group.addTask {
                try? await deployment.ending.wait(as: self.makeWaiter())
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            // The application may have come up just when it was to end.
            var last = first
            for await other in group { last = last ?? other }
            return last
        }
        // Removed while it came up: nobody else knows that it runs.
        let isWanted = now.deployments.contains { $0.id == deployment.id && $0.status != .removed }
        if running != nil, !isWanted { await applications?.stop(deployment.id) }
        deployment.settled.release()
        guard let running, isWanted else { return }
        for await exit in running.exits {
            log(.standardError, "The application ended with status \(exit.status).", of: deployment.id)
            change(deployment.id, to: .crashed)
        }
        // It was stopped: by its removal, or by a successor that did not come up.
        updateState { state in
            if state.deployments.first(where: { $0.id == deployment.id })?.status == .success {
                state.move(deployment.id, to: .removed, at: wallClock.now())
            }
        }
    }

    /// One step after another; each status is there before what it stands for begins.
    private func carryOut(_ deployment: RailwayDeployment) async -> RunningApplication? {
        do {
            change(deployment.id, to: .initializing)
            try await pace.beforeAnswer()
            let fault = takeFault(deployment)
            switch deployment.source {
            case .archive(let archive): return try await runApplication(deployment, archive, fault)
            case .image(let image):
                try await runDatabase(deployment, image, fault)
                return nil
            }
        } catch let failure as ApplicationFailure {
            log(failure.phase == .build ? .build : .standardError, failure.message, of: deployment.id)
            change(deployment.id, to: .failed)
        } catch let error as GraphQLError {
            log(.standardError, error.message, of: deployment.id)
            change(deployment.id, to: .failed)
        } catch {
            change(deployment.id, to: .removed)
        }
        return nil
    }

    private func takeFault(_ deployment: RailwayDeployment) -> RailwayFault? {
        let state = now
        let project = state.projects.first { $0.id == deployment.projectID }?.name ?? ""
        let service = state.services.first { $0.id == deployment.key.serviceID }?.name ?? ""
        let fault = faults.take(.railway, prompt: "\(project)/\(service)", at: .deployment)
        return if case .railway(let fault)? = fault?.kind { fault } else { nil }
    }

    private func runApplication(
        _ deployment: RailwayDeployment, _ archive: [UInt8], _ fault: RailwayFault?
    ) async throws -> RunningApplication? {
        let id = deployment.id
        change(id, to: .building)
        try await pace.beforeAnswer()
        if case .buildHangs(let hold) = fault { try await hold.wait(as: makeWaiter()) }
        if case .buildFailed = fault {
            log(.build, "RUN install: the build process ended with status 1 (a fault of the sandbox)", of: id)
            throw ApplicationFailure(.build, "Build failed")
        }
        guard let applications else {
            throw ApplicationFailure(
                .build, "This sandbox runs no applications: it was started without a host for them.")
        }
        if case .unhealthy = fault {
            change(id, to: .deploying)
            log(.standardOutput, "Attempt #1 failed with service unavailable. (a fault of the sandbox)", of: id)
            throw ApplicationFailure(.deploy, "1/1 replicas never became healthy! Healthcheck failed!")
        }
        let specification = try await specification(deployment, archive)
        let running = try await applications.start(specification) { stream, line in
            // What the application itself says means that it was built.
            if stream != .build { self.change(id, to: .deploying) }
            self.log(stream, line, of: id)
        }
        change(id, to: .deploying)
        if case .crash = fault {
            await applications.stop(id)
            log(.standardError, "The application was ended (a fault of the sandbox).", of: id)
            change(id, to: .crashed)
            return nil
        }
        if case .unreachable = fault {
            await applications.stop(id)
            log(.standardError, "Nothing answers from here on. (a fault of the sandbox)", of: id)
            await succeed(deployment, specification)
            return nil
        }
        await succeed(deployment, specification)
        return running
    }

    /// The new deployment takes over; what ran before is removed.
    private func succeed(_ deployment: RailwayDeployment, _ specification: ApplicationSpecification) async {
        let time = wallClock.now()
        let others = now.deployments.filter {
            $0.key == deployment.key && $0.number < deployment.number && [.success, .crashed].contains($0.status)
        }
        updateState { state in
            for other in others { state.move(other.id, to: .removed, at: time) }
            state.move(deployment.id, to: .success, at: time)
        }
        for other in others { await applications?.stop(other.id) }
    }

    private func specification(
        _ deployment: RailwayDeployment, _ archive: [UInt8]
    ) async throws(GraphQLError) -> ApplicationSpecification {
        let port = try await port(of: deployment.key)
        let state = now
        let instance = try state.instance(deployment.key)
        var environment: [String: String] = [:]
        for variables in [state.clientVariables(deployment.key), state.platformVariables(deployment.key)] {
            for member in variables.members { environment[member.key] = member.value.stringValue }
        }
        environment["RAILWAY_DEPLOYMENT_ID"] = deployment.id
        environment["PORT"] = String(port)
        return ApplicationSpecification(
            id: deployment.id, archive: archive, environment: environment, startCommand: instance.startCommand,
            healthcheckPath: instance.healthcheckPath,
            healthcheckTimeout: .seconds(instance.healthcheckSeconds ?? 300), port: port,
            replaces: state.running(deployment.key)?.id)
    }

    private func runDatabase(_ deployment: RailwayDeployment, _ image: String, _ fault: RailwayFault?) async throws {
        if case .buildHangs(let hold) = fault {
            change(deployment.id, to: .building)
            try await hold.wait(as: makeWaiter())
        }
        if case .buildFailed = fault { throw ApplicationFailure(.build, "Failed to pull image \(image)") }
        change(deployment.id, to: .deploying)
        try await pace.beforeAnswer()
        let state = now
        let instance = try state.instance(deployment.key)
        guard instance.isDatabase else {
            throw ApplicationFailure(.deploy, "This sandbox runs no image but PostgreSQL's.")
        }
        guard let applications else {
            throw ApplicationFailure(.deploy, "This sandbox runs no databases: it was started without a host for them.")
        }
        guard let credentials = DatabaseCredentials(state.clientVariables(deployment.key)) else {
            throw ApplicationFailure(
                .deploy,
                "Error: Database is uninitialized and superuser password is not specified. "
                    + "You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.")
        }
        if case .unhealthy = fault { throw ApplicationFailure(.deploy, "Healthcheck failed!") }
        if instance.database == nil {
            let database = try await applications.createDatabase(instance.databaseName, password: credentials.password)
            let time = wallClock.now()
            updateState { $0.update(deployment.key, at: time) { $0.database = database } }
        }
        log(.standardOutput, "database system is ready to accept connections", of: deployment.id)
        if case .crash = fault {
            change(deployment.id, to: .crashed)
            return
        }
        let time = wallClock.now()
        updateState { state in
            for other in state.deployments where other.key == deployment.key && other.status == .success {
                state.move(other.id, to: .removed, at: time)
            }
            state.move(deployment.id, to: .success, at: time)
        }
        if case .unreachable = fault { return }
        leadProxies(of: deployment.key)
    }
}
