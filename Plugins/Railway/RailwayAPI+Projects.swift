import PluginKit

/// A project as Railway has it: where everything of one execution lives.
struct Project: Sendable, Hashable {
    let id: String
    /// Ids by name. Of two of one name the first counts.
    let environments: [String: String]
    let services: [String: String]
    /// Whether some service is in it, also one of those that share a name.
    let serviceIDs: Set<String>

    init(_ answer: Answer) throws(PluginError) {
        id = try answer["id"].identifier()
        environments = try Self.ids(try answer["environments"].nodes())
        let living = Answer.living(try answer["services"].nodes())
        services = try Self.ids(living)
        var ids: Set<String> = []
        for service in living { ids.insert(try service["id"].identifier()) }
        serviceIDs = ids
    }

    private static func ids(_ nodes: [Answer]) throws(PluginError) -> [String: String] {
        var ids: [String: String] = [:]
        for node in nodes {
            let name = try node["name"].text()
            if ids[name] == nil { ids[name] = try node["id"].identifier() }
        }
        return ids
    }
}

/// One service in one environment: the three ids that most operations ask for.
struct Place: Sendable, Hashable {
    let projectID: String
    let environmentID: String
    let serviceID: String

    /// The ids as an operation's variables, and what else it takes.
    func variables(_ more: KeyValuePairs<String, JSON> = [:]) -> JSON {
        object(["projectId": projectID, "environmentId": environmentID, "serviceId": serviceID], more)
    }

    /// The ids as a result's `resource`, and what else belongs to it.
    func resource(_ more: KeyValuePairs<String, JSON> = [:]) -> JSON {
        object(["project_id": projectID, "environment_id": environmentID, "service_id": serviceID], more)
    }

    private func object(_ ids: KeyValuePairs<String, String>, _ more: KeyValuePairs<String, JSON>) -> JSON {
        var object = JSONObject()
        for (name, id) in ids { object[name] = .string(id) }
        for (name, value) in more { object[name] = value }
        return .object(object)
    }
}

extension RailwayAPI {
    private static let pageSize: Int64 = 100
    /// No account has a million projects; a list that never ends is not believed.
    private static let maximumPages = 10_000

    /// The application's projects, the oldest first: by name, and by the id that an earlier call noted, which stays
    /// true where somebody renamed it. There is more than one only where a call was cut off while it made one.
    func projects(of application: Application, id: String? = nil) async throws -> [Project] {
        var found: [(id: String, createdAt: String)] = []
        var cursor: String?
        for _ in 0..<Self.maximumPages {
            var variables = JSONObject()
            variables["first"] = .integer(Self.pageSize)
            variables["after"] = cursor.map(JSON.string)
            variables["workspaceId"] = settings.workspaceID.map(JSON.string)
            let page = try await perform(.projects, .object(variables), field: "projects")
            for node in Answer.living(try page.nodes()) {
                let nodeID = try node["id"].identifier()
                guard node["name"].optionalText == application.projectName || nodeID == id else { continue }
                found.append((nodeID, node["createdAt"].optionalText ?? ""))
            }
            let pageInfo = page["pageInfo"]
            guard try pageInfo["hasNextPage"].bool() else { break }
            let next = try pageInfo["endCursor"].text()
            guard next != cursor else { throw pageInfo["endCursor"].malformed("a further cursor") }
            cursor = next
        }
        var projects: [Project] = []
        for (id, _) in found.sorted(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) {
            // One that went away in between is not there.
            guard let answer = try await find(.project, ["id": .string(id)], field: "project"),
                answer["deletedAt"].isNull
            else { continue }
            projects.append(try Project(answer))
        }
        return projects
    }

    /// The application's project, made where there is none.
    func ensureProject(of application: Application) async throws -> Project {
        if let project = try await projects(of: application).first { return project }
        var input = JSONObject()
        input["name"] = .string(application.projectName)
        input["defaultEnvironmentName"] = .string(application.environment)
        input["workspaceId"] = settings.workspaceID.map(JSON.string)
        return try Project(await perform(.projectCreate, ["input": .object(input)], field: "projectCreate"))
    }

    /// The place of a service in the application's environment, made where there is none. The service is empty until
    /// something is deployed to it.
    func ensureService(_ name: String, of application: Application) async throws -> Place {
        let project = try await ensureProject(of: application)
        guard let environment = project.environments[application.environment] else {
            throw PluginError(
                .invalid,
                "the project \(application.projectName) on Railway has no environment \"\(application.environment)\"")
        }
        if let service = project.services[name] {
            return Place(projectID: project.id, environmentID: environment, serviceID: service)
        }
        let input: JSON = [
            "projectId": .string(project.id), "environmentId": .string(environment), "name": .string(name),
        ]
        let service = try await perform(.serviceCreate, ["input": input], field: "serviceCreate")
        return Place(
            projectID: project.id, environmentID: environment, serviceID: try service["id"].identifier())
    }

    /// The place of a service that is there already.
    func place(of name: String, _ application: Application) async throws -> Place? {
        for project in try await projects(of: application) {
            guard let environment = project.environments[application.environment],
                let service = project.services[name]
            else { continue }
            return Place(projectID: project.id, environmentID: environment, serviceID: service)
        }
        return nil
    }
}
