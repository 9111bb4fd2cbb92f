import Domain
import Glibc
import Testing

@testable import Engine

/// The templates and categories that ship beside the program.
@Suite struct ShippedTemplatesTests {
    static let names = ["documentation-site", "market-brief", "saas-starter", "subscription-box"]

    @Test(arguments: names) func `every template compiles, is of a known category and fits in it`(_ name: String) throws
    {
        let template = try Self.template(name)
        #expect(template.slug == name)
        let categories = try JSON.parse(#require(Self.file("categories.json")))["categories"]?.arrayValue ?? []
        #expect(
            categories.compactMap { $0["id"]?.stringValue } == ["saas", "ecommerce", "ai-apps", "tools", "content"])
        let category = try #require(categories.first { $0["id"]?.stringValue == template.category })
        #expect(category["templates"]?.arrayValue?.contains(.string(name)) == true)
        #expect(template.inputs.count >= 4)
        #expect(template.inputs.allSatisfy { $0.label != nil })
    }

    @Test func `market-brief runs two steps side by side and a third on both`() throws {
        let template = try Self.template("market-brief")
        #expect(template.plan.steps.map(\.dependencies) == [[], [], [0, 1]])
        #expect(template.plan.requiredOutputs == ["launch_brief"])
        let configuration = try ConfigurationValidator.validate(
            ["product_name": "Tidewatch", "audience": "harbour masters of small marinas"], against: template.inputs)
        #expect(configuration["tone"] == "confident")
    }

    @Test func `saas-starter has the specification's ten steps, one after the other where it must be`() throws {
        let template = try Self.template("saas-starter")
        #expect(
            template.plan.steps.map(\.name) == [
                "Architecture Planning", "Frontend Generation", "Backend API Creation", "Database Setup",
                "Stripe Integration", "Testing & Quality Assurance", "Deployment Configuration",
                "Application Deployment", "Domain Configuration", "Monitoring Setup",
            ])
        #expect(
            template.plan.steps.map(\.dependencies) == [
                [], [0], [0], [0, 2], [2], [1, 2, 4], [5], [1, 2, 3, 6], [7], [7, 8],
            ])
        #expect(template.plan.requiredOutputs == ["app_url", "github_repository", "admin_credentials"])
        let configuration = try ConfigurationValidator.validate(["app_name": "Invoice Pilot"], against: template.inputs)
        #expect(configuration["features"] == ["user_authentication", "subscription_billing"])
        for (key, value) in [("app_name", "a"), ("app_name", "x{{y}}"), ("domain_name", "http://x.io")] {
            var faulty = JSONObject()
            faulty["app_name"] = "Invoice Pilot"
            faulty[key] = .string(value)
            #expect(throws: (any Error).self) {
                try ConfigurationValidator.validate(.object(faulty), against: template.inputs)
            }
        }
    }

    @Test func `documentation-site writes its pages and its site side by side`() throws {
        let template = try Self.template("documentation-site")
        #expect(template.plan.steps.map(\.dependencies) == [[], [0], [0], [1, 2], [3]])
        #expect(template.plan.requiredOutputs == ["app_url"])
    }

    private static func template(_ name: String) throws -> Template {
        try TemplateCompiler(dispatch: ServedRoutes.usual).compile(
            #require(file("\(name).yaml")), file: "\(name).yaml")
    }

    private static func file(_ name: String) -> [UInt8]? {
        let tests = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        guard let file = unsafe fopen("/\(tests)/templates/\(name)", "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
