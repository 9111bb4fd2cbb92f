import Domain
import Synchronization

/// The last compilation of each template, as long as its definition stays the same. When it is full any one of them
/// gives way: a catalog of more templates compiles again now and then.
final class CompiledTemplates: Sendable {
    private let templates = Mutex<[String: Template]>([:])
    private static let capacity = 256

    func template(of source: JSON, id: String) -> Template? {
        templates.withLock { $0[id] }.flatMap { $0.source == source ? $0 : nil }
    }

    func keep(_ template: Template, id: String) {
        templates.withLock { templates in
            if templates.count >= Self.capacity, let victim = templates.keys.first { templates[victim] = nil }
            templates[id] = template
        }
    }
}
