import PluginKit

/// A deployment as a list of them shows it.
struct Deployment: Sendable, Hashable {
    let id: String
    let status: DeploymentStatus
    let createdAt: String
    /// What the upload was given as its message: the key of the step that began it.
    let message: String?
}

extension RailwayAPI {
    /// A service's latest deployments, the newest first.
    func deployments(at place: Place) async throws -> [Deployment] {
        let list = try await perform(
            .deployments, ["input": place.variables(), "first": 50], field: "deployments")
        var deployments: [Deployment] = []
        for node in try list.nodes() {
            deployments.append(
                Deployment(
                    id: try node["id"].identifier(), status: DeploymentStatus(try node["status"].text()),
                    createdAt: node["createdAt"].optionalText ?? "", message: node["meta"]["cliMessage"].optionalText))
        }
        return deployments.sorted { $0.createdAt > $1.createdAt }
    }

    func status(ofDeployment id: String) async throws -> DeploymentStatus {
        guard let deployment = try await find(.deployment, ["id": .string(id)], field: "deployment") else {
            // Right after an upload it may not be everywhere yet.
            throw PluginError(.upstream, "Railway does not know the deployment \(id)", isRetryable: true)
        }
        return DeploymentStatus(try deployment["status"].text())
    }

    /// Deploys a service from its source.
    ///
    /// - Returns: the deployment's id.
    func deploy(_ place: Place) async throws -> String {
        let variables: JSON = [
            "serviceId": .string(place.serviceID), "environmentId": .string(place.environmentID),
        ]
        return try await perform(.serviceInstanceDeploy, variables, field: "serviceInstanceDeployV2").identifier()
    }

    /// Uploads an application's source, which begins a deployment.
    ///
    /// - Parameters:
    ///   - source: the digest of a gzipped tar.
    ///   - message: kept with the deployment, which is found again by it.
    /// - Returns: the deployment's id.
    func upload(_ source: String, to place: Place, message: String) async throws -> String {
        let what = "the upload of the source"
        let response = try await call.send(
            HTTPRequest(
                method: "POST",
                url: "\(settings.baseURL)/project/\(place.projectID)/environment/\(place.environmentID)/up"
                    + "?serviceId=\(place.serviceID)&message=\(message.percentEncoded)",
                headers: headers(contentType: "application/gzip"), body: .blob(source)))
        guard 200..<300 ~= response.status else { throw await failure(of: response, what, isUpload: true) }
        // Whatever it answers, a deployment may have begun: repeating the call finds it.
        guard
            let json = try? JSON.parse(
                await response.collect(upTo: Self.answerLimit), JSON.Reading(repairsStrings: true))
        else {
            throw PluginError(.upstream, "Railway's answer to \(what) is not JSON", isRetryable: true)
        }
        return try Answer(value: json, path: "upload")["deploymentId"].identifier()
    }
}

extension String {
    /// The text as one component of a URL's query: all but the unreserved characters of RFC 3986 escaped.
    var percentEncoded: String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
