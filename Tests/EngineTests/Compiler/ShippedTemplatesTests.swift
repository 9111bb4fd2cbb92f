import Domain
import Testing

@testable import Engine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The templates and categories that ship beside the program.
@Suite struct ShippedTemplatesTests {
    @Test func `market-brief runs two steps side by side and a third on both`() throws {
        let bytes = try #require(Self.file("market-brief.yaml"))
        let template = try TemplateCompiler(dispatch: ServedRoutes(routes: [.aiProvider("claude")]))
            .compile(bytes, file: "market-brief.yaml")
        #expect(template.slug == "market-brief")
        #expect(template.plan.steps.map(\.dependencies) == [[], [], [0, 1]])
        #expect(template.plan.requiredOutputs == ["launch_brief"])
        let configuration = try ConfigurationValidator.validate(
            ["product_name": "Tidewatch", "audience": "harbour masters of small marinas"], against: template.inputs)
        #expect(configuration["tone"] == "confident")
        let categories = try JSON.parse(#require(Self.file("categories.json")))["categories"]?.arrayValue ?? []
        #expect(
            categories.compactMap { $0["id"]?.stringValue } == ["saas", "ecommerce", "ai-apps", "tools", "content"])
        #expect(categories.contains { $0["id"]?.stringValue == template.category })
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
