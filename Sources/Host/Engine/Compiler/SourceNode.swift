import Domain

/// A value of a template's source together with its place.
struct SourceNode: Sendable {
    enum Content: Sendable {
        /// null, a boolean, a number or a string.
        case scalar(JSON)
        case sequence([SourceNode])
        case mapping([Member])
    }

    struct Member: Sendable {
        let key: String
        let keyPlace: SourcePlace
        let value: SourceNode
    }

    let content: Content
    let place: SourcePlace
}

extension SourceNode {
    /// The value without its places.
    var json: JSON {
        switch content {
        case .scalar(let value): return value
        case .sequence(let elements): return .array(elements.map(\.json))
        case .mapping(let members):
            var object = JSONObject()
            for member in members { object[member.key] = member.value.json }
            return .object(object)
        }
    }

    var string: String? { if case .scalar(.string(let text)) = content { text } else { nil } }

    /// The name of the value's type, for messages.
    var typeName: String {
        switch content {
        case .scalar(let value): value.typeName
        case .sequence: "array"
        case .mapping: "object"
        }
    }

    subscript(key: String) -> SourceNode? {
        guard case .mapping(let members) = content else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Calls `body` for every string in the value, in document order.
    func forEachString(_ body: (String, SourcePlace) -> Void) {
        switch content {
        case .scalar(.string(let text)): body(text, place)
        case .scalar: break
        case .sequence(let elements): for element in elements { element.forEachString(body) }
        case .mapping(let members): for member in members { member.value.forEachString(body) }
        }
    }

    /// A JSON value as a source without lines.
    init(_ json: JSON) {
        var order = 0
        self.init(json, .root, order: &order)
    }

    private init(_ json: JSON, _ trail: SourceTrail, order: inout Int) {
        place = SourcePlace(path: trail, line: nil, column: nil, order: order)
        order += 1
        switch json {
        case .array(let elements):
            var nodes: [SourceNode] = []
            for (index, element) in elements.enumerated() {
                nodes.append(SourceNode(element, trail.element(index), order: &order))
            }
            content = .sequence(nodes)
        case .object(let object):
            var members: [Member] = []
            for member in object.members {
                let path = trail.member(member.key)
                let keyPlace = SourcePlace(path: path, line: nil, column: nil, order: order)
                order += 1
                members.append(
                    Member(
                        key: member.key, keyPlace: keyPlace,
                        value: SourceNode(member.value, path, order: &order)))
            }
            content = .mapping(members)
        default: content = .scalar(json)
        }
    }
}

/// JSON Pointer (RFC 6901).
enum JSONPointer {
    /// A member name as a reference token: `~` is `~0`, `/` is `~1`.
    static func escape(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
        var token = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.unicodeScalars.append(scalar)
            }
        }
        return token
    }
}
