import Domain
import Synchronization

// Deployments as clients ask for them.
extension RailwayPlatform {
    /// Deployments of one service that are kept, and how many of them can be deployed again.
    private static let (history, archives) = (20, 2)

    /// Deploys what was deployed last, or the service's image.
    ///
    /// - Returns: the deployment's id.
    func deploy(_ key: RailwayState.Instance.Key) throws(GraphQLError) -> String {
        let state = now
        let instance = try state.instance(key)
        if let image = instance.image { return try deploy(.image(image), to: key, message: nil) }
        guard let source = state.deployments.last(where: { $0.key == key && $0.source.isThere })?.source else {
            throw .refused("Service has no source to deploy")
        }
        return try deploy(source, to: key, message: nil)
    }

    /// Deploys a source beside what runs, in place of what is still being deployed.
    ///
    /// - Returns: the deployment's id.
    @discardableResult
    func deploy(
        _ source: RailwayDeployment.Source, to key: RailwayState.Instance.Key, message: String?
    ) throws(GraphQLError) -> String {
        let (id, number, time) = (makeID(), makeWaiter(), wallClock.now())
        let (deployment, earlier) = try change { state throws(GraphQLError) in
            _ = try state.instance(key)
            let deployment = RailwayDeployment(
                id: id, number: number, projectID: try state.service(key.serviceID).projectID, key: key,
                source: source, message: message.map { String($0.prefix(1_000)) }, createdAt: time,
                statusUpdatedAt: time)
            let earlier = state.deployments.filter { $0.key == key && !$0.status.isSettled }
            for other in earlier { state.move(other.id, to: .removed, at: time) }
            state.deployments.append(deployment)
            state.trim(key, history: Self.history, archives: Self.archives)
            return (deployment, earlier)
        }
        for other in earlier { other.ending.release() }
        let began = work.begin { await self.run(deployment, after: earlier) }
        guard began else {
            change(id, to: .failed)
            deployment.settled.release()
            throw .refused("The sandbox is shutting down")
        }
        return id
    }

    /// Deploys the same source once more.
    func redeploy(_ id: String) throws(GraphQLError) -> RailwayDeploymentObject {
        let deployment = try now.deployment(id)
        guard deployment.source.isThere else { throw .refused("Deployment cannot be redeployed") }
        let new = try deploy(deployment.source, to: deployment.key, message: deployment.message)
        let state = now
        return RailwayDeploymentObject(deployment: try state.deployment(new), state: state)
    }

    /// Ends a deployment, whatever it has come to; returns when nothing of it runs.
    func removeDeployment(_ id: String, onlyUnsettled: Bool) async throws(GraphQLError) {
        let deployment = try now.deployment(id)
        if onlyUnsettled, deployment.status.isSettled { throw .refused("Deployment cannot be canceled") }
        change(id, to: .removed)
        await finish { await self.end(deployment) }
    }

    /// Lines of a log: from a moment on the first, otherwise the last.
    func lines(_ log: KeyPath<RailwayDeployment, [RailwayDeployment.Line]>, _ arguments: JSON) throws(GraphQLError)
        -> GraphQLValue
    {
        let deployment = try now.deployment(arguments["deploymentId"]?.stringValue ?? "")
        let limit = Int(arguments["limit"]?.integerValue ?? 500)
        guard (0...RailwayDeployment.lineLimit).contains(limit) else {
            throw .refused("limit must be between 0 and \(RailwayDeployment.lineLimit)")
        }
        let start = arguments["startDate"]?.stringValue.flatMap(RailwayMoment.init)
        let end = arguments["endDate"]?.stringValue.flatMap(RailwayMoment.init)
        let filter = arguments["filter"]?.stringValue ?? ""
        let lines = deployment[keyPath: log].filter { line in
            guard let moment = RailwayMoment(line.timestamp) else { return false }
            return start.map { moment >= $0 } ?? true && end.map { moment <= $0 } ?? true
                && (filter.isEmpty || line.message.contains(filter))
        }
        let wanted = start == nil ? lines.suffix(limit) : lines.prefix(limit)
        return .list(wanted.map { .object($0.object(of: deployment)) })
    }

    /// Carries out what must not be left half done when the client who asked for it goes away.
    func finish(_ job: @escaping BackgroundWork.Job) async {
        let done = Hold()
        let began = work.begin {
            await job()
            done.release()
        }
        if began { try? await done.wait(as: makeWaiter()) } else { await job() }
    }

    /// Stops what runs of instances that are gone, and drops their databases.
    func tearDown(_ instances: [RailwayState.Instance], in state: RailwayState) async {
        let keys = Set(instances.map(\.key))
        await finish {
            for deployment in state.deployments where keys.contains(deployment.key) { await self.end(deployment) }
            for proxy in state.proxies where keys.contains(proxy.key) {
                await self.listeners.withLock { $0.removeValue(forKey: proxy.id) }?.close()
            }
            for instance in instances where instance.isDatabase || instance.database != nil {
                await self.applications?.dropDatabase(instance.databaseName)
            }
        }
    }

    private func end(_ deployment: RailwayDeployment) async {
        deployment.ending.release()
        try? await deployment.settled.wait(as: makeWaiter())
        if case .archive = deployment.source { await applications?.stop(deployment.id) }
    }

    func change(_ id: String, to status: RailwayDeployment.Status) {
        let time = wallClock.now()
        updateState { $0.move(id, to: status, at: time) }
    }

    func log(_ stream: ApplicationLogStream, _ message: String, of id: String) {
        let time = wallClock.now()
        updateState { $0.log(stream, message, of: id, at: time) }
    }
}

extension RailwayDeployment.Source {
    /// Whether it is kept still.
    var isThere: Bool { if case .archive(let bytes) = self { !bytes.isEmpty } else { true } }
}

extension RailwayState {
    /// Forgets a service's oldest deployments, and the archives of all but the latest.
    fileprivate mutating func trim(_ key: Instance.Key, history: Int, archives: Int) {
        let own = deployments.indices.filter { deployments[$0].key == key }
        for index in own.dropLast(archives) where deployments[index].status != .success {
            if case .archive = deployments[index].source { deployments[index].source = .archive([]) }
        }
        let gone = own.dropLast(history).filter {
            deployments[$0].status.isSettled && deployments[$0].status != .success
        }
        for index in gone.reversed() { deployments.remove(at: index) }
    }
}

extension RailwayState.Instance {
    /// Its database's name on this machine.
    var databaseName: String { "railway_" + id.filter { $0 != "-" } }
}
