import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite struct InputTests {
    private static func deploy(_ name: String, _ value: JSON?) -> JSON {
        var input = PluginCall.deploy.objectValue ?? JSONObject()
        input[name] = value
        return .object(input)
    }

    @Test(
        arguments: [
            ["source": .null], ["source": ["blob": "abc"]], ["source": ["blob": 7]], ["variables": .null],
            ["variables": ["A": 7]], ["variables": ["A": ["$secret": "a}}b"]]],
            ["variables": ["A": ["$secret": "a", "x": 1]]], ["variables": ["A B": "x"]],
            ["variables": ["{{secret:a}}": "x"]], ["health_check_path": "health"], ["health_check_path": 7],
            ["start_command": ""],
        ] as [JSON])
    func `a request that is malformed is refused`(change: JSON) throws {
        let member = try #require(change.objectValue?.members.first)
        let error = #expect(throws: PluginError.self) { try DeployRequest(Self.deploy(member.key, member.value)) }
        #expect(error?.code == .invalid)
    }

    /// The host fills in whatever the call's input refers to; a text of the user's must not choose among it.
    @Test func `a text that looks like a secret's mark is refused, without repeating it`() {
        let variables: JSON = ["A": ["$secret": "a-1"], "B": "x{{secret:a-1}}"]
        let error = #expect(throws: PluginError.self) { try DeployRequest(Self.deploy("variables", variables)) }
        #expect(error?.message == "the variable B holds the mark of a secret in its text")
    }

    @Test func `what may be left out may be left out`() throws {
        var input = try #require(PluginCall.deploy.objectValue)
        input["health_check_path"] = nil
        input["start_command"] = nil
        let request = try DeployRequest(.object(input))
        #expect(request.healthCheckPath == nil && request.startCommand == nil)
    }

    @Test(
        arguments: [
            ["id": "x", "name": "a", "environment": "production"],
            ["id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "name": "1a", "environment": "production"],
            ["id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "name": "a_b", "environment": "production"],
            ["id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "name": "a", "environment": ""],
            ["id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "name": 7, "environment": "production"],
            .null, [],
        ] as [JSON])
    func `an application that is malformed is refused`(application: JSON) {
        let error = #expect(throws: PluginError.self) { try Application(["application": application]) }
        #expect(error?.code == .invalid)
    }

    @Test func `the project's name ends with the end of the execution's id`() throws {
        #expect(try Application(PluginCall.deploy).projectName == PluginCall.projectName)
    }

    @Test(
        arguments: [
            ["base_url": "ftp://x"], ["base_url": 7], ["workspace_id": ""], ["poll_interval_ms": 0],
            ["poll_interval_ms": 60_001], ["poll_interval_ms": "2000"],
        ] as [JSON])
    func `a setting that is wrong is named`(configuration: JSON) throws {
        let name = try #require(configuration.objectValue?.keys.first)
        let error = #expect(throws: PluginError.self) { try Settings(configuration) }
        #expect(error?.message.contains(name) == true)
    }

    @Test func `the manifest's defaults are the code's`() throws {
        let properties = try JSON.parse(Railway.manifest)["config"]?["properties"]
        let settings = try Settings([:])
        #expect(properties?["base_url"]?["default"] == .string(settings.baseURL))
        #expect(properties?["poll_interval_ms"]?["default"] == .integer(Int64(settings.pollInterval)))
    }

    @Test func `the manifest names the operations that are carried out`() async throws {
        let manifest = try JSON.parse(Railway.manifest)
        let operations = try #require(manifest["operations"]?.arrayValue).compactMap { $0["name"]?.stringValue }
        #expect(operations.count == 5)
        for served in try #require(manifest["serves"]?.arrayValue) {
            for member in ["operation", "lookup", "undo"] {
                #expect(operations.contains(served[member]?.stringValue ?? ""))
            }
        }
        for operation in operations {
            let input: JSON = ["application": PluginCall.application]
            let outcome = try await PluginCall.run(operation, input, on: FakeRailway())
            #expect(outcome.status != AIB_E_UNSUPPORTED)
        }
    }
}
