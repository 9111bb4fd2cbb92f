import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// The other templates that ship with the program, run to a page that opens.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ShippedApplicationsTests {
    @Test func `a shop and a documentation site end in an opened page`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("shipped")
        let host = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let client = try await host.client.registered()
        let world = try DeployedWorld(host, transport: transport)

        let shop = try await client.run("subscription-box", ["app_name": "Harbour Crate", "theme": "coffee"])
        try await check(shop, "Harbour Crate", world)
        let credentials = try #require(shop["result"]?["admin_credentials"])
        try await world.checkSignIn(try #require(shop["result"]?["app_url"]?.stringValue), credentials)

        let pages = try await client.run(
            "documentation-site",
            ["app_name": "Tidewatch", "about": "a tide gauge for harbours"])
        try await check(pages, "Tidewatch", world)
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    private func check(_ execution: JSON, _ name: String, _ world: DeployedWorld) async throws {
        #expect(execution["status"] == "completed", "\(execution["error"]?.text ?? "")")
        let url = try #require(execution["result"]?["app_url"]?.stringValue)
        let page = try await world.get(url)
        #expect(page.status == 200 && page.text.contains(name))
        #expect(try await world.get(url + "/health").status == 200)
        #expect(try await world.get(url + "/nothing-here").status == 404)
    }
}
