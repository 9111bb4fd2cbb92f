/// Which API keys a simulator takes for valid. Its description shows none.
public enum AcceptedKeys: Sendable, CustomStringConvertible {
    case anyNonEmpty
    case only(Set<String>)

    func contains(_ key: String) -> Bool {
        switch self {
        case .anyNonEmpty: !key.isEmpty
        case .only(let keys): keys.contains(key)
        }
    }

    public var description: String {
        switch self {
        case .anyNonEmpty: "any non-empty key"
        case .only(let keys): "\(keys.count) keys"
        }
    }
}
