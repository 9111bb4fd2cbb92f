/// Stands for a secret wherever JSON is stored or passed on: `{"$secret": "<id>"}`. Only the vault knows its value.
public struct SecretReference: Sendable, Hashable {
    public let id: UUIDv7

    public init(id: UUIDv7) { self.id = id }

    /// nil where the value is no reference.
    public init?(_ json: JSON) {
        guard let object = json.objectValue, object.members.count == 1, let text = object["$secret"]?.stringValue,
            let id = UUIDv7(text)
        else { return nil }
        self.id = id
    }

    public var json: JSON { ["$secret": .string(id.description)] }
}

extension JSON {
    /// Every reference to a secret inside the value, in document order.
    public var secretReferences: [SecretReference] {
        if let reference = SecretReference(self) { return [reference] }
        return switch self {
        case .array(let elements): elements.flatMap(\.secretReferences)
        case .object(let object): object.members.flatMap(\.value.secretReferences)
        default: []
        }
    }

    /// The value with each reference to a secret replaced.
    public func replacingSecrets(_ replacement: (SecretReference) throws -> JSON) rethrows -> JSON {
        if let reference = SecretReference(self) { return try replacement(reference) }
        switch self {
        case .array(let elements): return .array(try elements.map { try $0.replacingSecrets(replacement) })
        case .object(let object):
            var replaced = JSONObject()
            for member in object.members { replaced[member.key] = try member.value.replacingSecrets(replacement) }
            return .object(replaced)
        default: return self
        }
    }
}

/// The port to secrets of executions: the passwords and connection URLs they make. Kept encrypted.
public protocol SecretVault: Sendable {
    /// Keeps a secret under a name, unless the execution has one of that name: then that one stays.
    ///
    /// - Returns: the reference to whichever is kept.
    func keep(_ value: String, as name: String, of execution: UUIDv7) async throws(LedgerError) -> SecretReference
    /// Keeps a secret under a name in place of whatever was kept there.
    func replace(_ value: String, as name: String, of execution: UUIDv7) async throws(LedgerError) -> SecretReference
    /// The values of an execution's secrets by reference; ones that are unknown or another execution's are left out.
    func values(
        _ references: [SecretReference], of execution: UUIDv7
    ) async throws(LedgerError) -> [SecretReference: String]
}
