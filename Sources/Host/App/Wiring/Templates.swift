import Domain
import Engine
import Logging

/// The templates of a folder, on their way into the catalog.
enum Templates {
    static func compile(_ file: String, with compiler: TemplateCompiler) throws(Diagnostics) -> Template {
        guard let text = File.read(file, limit: 1_048_576) else {
            throw Diagnostics(
                [
                    Diagnostic(
                        code: "unreadable", message: "the file cannot be read, or is longer than 1 MiB", pointer: "")
                ], file: file)
        }
        return try compiler.compile(text, file: file)
    }

    /// Publishes every template that compiles; the others are told to the operator and left out, so that one bad
    /// file does not stop a host.
    static func publish(
        from directory: String?, with compiler: TemplateCompiler, into catalog: any TemplateCatalog, logger: Logger
    ) async throws -> (published: Int, faults: [Diagnostics]) {
        let found = try Installation.templates(in: directory)
        if let path = found.categories { try await catalog.publish(categories(path)) }
        var faults: [Diagnostics] = []
        var published = 0
        for file in found.files {
            do throws(Diagnostics) {
                let template = try compile(file, with: compiler)
                do { try await catalog.publish(template) } catch {
                    throw Diagnostics(
                        [Diagnostic(code: "not_published", message: error.message, pointer: "/template")], file: file)
                }
                published += 1
            } catch {
                faults.append(error)
            }
        }
        return (published, faults)
    }

    private static func categories(_ path: String) throws -> [TemplateCategory] {
        guard let bytes = File.read(path, limit: 1_048_576) else {
            throw StartFailure("\(path) cannot be read")
        }
        let json: JSON
        do { json = try JSON.parse(bytes) } catch { throw StartFailure("\(path): \(error)") }
        return try (json["categories"]?.arrayValue ?? []).map { category in
            guard let slug = category["id"]?.stringValue, let name = category["name"]?.stringValue else {
                throw StartFailure("\(path): each category needs an \"id\" and a \"name\"")
            }
            return TemplateCategory(
                slug: slug, name: name, description: category["description"]?.stringValue ?? "")
        }
    }
}
