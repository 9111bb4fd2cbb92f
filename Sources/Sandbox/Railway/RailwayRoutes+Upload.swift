import Domain
import HTTPTypes
import Hummingbird
import NIOCore

// What `railway up` sends: the files themselves.
extension RailwayRoutes {
    func upload(
        _ request: Request, projectID: String, environmentID: String, sequence: Int, on channel: any Channel
    ) async throws -> Response {
        control.ledger.describe(sequence, model: "up", prompt: "up")
        do {
            guard request.headers.bearerKey.map(keys.contains) == true else { throw RailwayRefusal(401, nil) }
            let archive = try await collect(request, upTo: limits.uploadBytes)
            if let problem = GzipTar.problem(archive) { throw RailwayRefusal(400, "Invalid archive: \(problem)") }
            let query = request.uri.queryParameters
            let (service, message) = (query.get("serviceId") ?? "", query.get("message"))
            let origin = "http://\(request.head.authority ?? "localhost")\(Self.prefix)"
            let subject = platform.now.projectName(in: .string(projectID)).map { " \($0)" } ?? ""
            return try await deliver(prompt: "up\(subject)", sequence: sequence, on: channel) {
                do throws(GraphQLError) {
                    return try deploy(
                        archive, to: service, projectID: projectID, environmentID: environmentID, message: message,
                        origin: origin)
                } catch {
                    throw RailwayRefusal(error.message.hasSuffix("not found") ? 404 : 400, error.message)
                }
            }
        } catch var refusal as RailwayRefusal {
            refusal.isUpload = true
            throw refusal
        }
    }

    /// - Parameter serviceID: an empty one makes a service.
    private func deploy(
        _ archive: [UInt8], to serviceID: String, projectID: String, environmentID: String, message: String?,
        origin: String
    ) throws(GraphQLError) -> JSON {
        let project = try platform.now.project(projectID)
        let environment = try platform.now.environment(environmentID, in: project.id)
        var serviceID = serviceID
        if serviceID.isEmpty {
            let input: JSON = ["projectId": .string(project.id), "name": .string(project.name)]
            serviceID = try platform.createService(input).service.id
        }
        let key = RailwayState.Instance.Key(serviceID: serviceID, environmentID: environment.id)
        guard try platform.now.service(serviceID).projectID == project.id else { throw .unknown("Service") }
        let id = try platform.deploy(.archive(archive), to: key, message: message)
        let domain = platform.now.serviceDomains.first { $0.key == key }?.domain
        return [
            "deploymentId": .string(id), "url": .string("\(origin)/state"), "logsUrl": .string("\(origin)/state"),
            "deploymentDomain": .string(domain ?? ""),
        ]
    }
}
