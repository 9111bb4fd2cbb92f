public import Domain

/// What references can see: the run's configuration, the template's `deployment_config`, and outputs by name.
public struct ReferenceScope: Sendable {
    public let configuration: JSON
    public let deploymentConfig: JSON
    /// Step outputs under each of their names, and the outputs of the execution itself (`app_url`, …).
    public var outputs: [String: JSON]

    public init(configuration: JSON, deploymentConfig: JSON, outputs: [String: JSON] = [:]) {
        self.configuration = configuration
        self.deploymentConfig = deploymentConfig
        self.outputs = outputs
    }

    /// The value at a path: members of objects by name, elements of arrays by position from 0; nil where there is
    /// none.
    public subscript(path: [String]) -> JSON? {
        guard let root = path.first else { return nil }
        let start = root == "deployment_config" ? deploymentConfig : outputs[root] ?? configuration[root]
        return path.dropFirst().reduce(start) { value, name in
            switch value {
            case .array(let elements):
                Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            default: value?[name]
            }
        }
    }
}

extension ReferenceScope {
    /// The text with its references replaced.
    public func render(_ text: String) throws(ReferenceError) -> String {
        try template(text).render(in: self)
    }

    /// A value with the references in all of its strings replaced. A string that is exactly one reference becomes
    /// the value with its type; member names are left alone.
    ///
    /// All that is put in, contents of files aside, has the bytes that one text may have, and what comes out is no
    /// deeper than a record of it can be.
    public func renderValue(_ value: JSON) throws(ReferenceError) -> JSON {
        var room = ReferenceTemplate.maximumRenderedBytes
        return try renderValue(value, depth: 0, room: &room)
    }

    private func renderValue(_ value: JSON, depth: Int, room: inout Int) throws(ReferenceError)
        -> JSON
    {
        switch value {
        case .string(let text):
            guard text.utf8.contains(UInt8(ascii: "{")) else { return value }
            let template = try template(text)
            guard template.segments.count == 1, case .reference(let reference) = template.segments[0]
            else {
                let rendered = try template.render(in: self)
                try take(rendered.utf8.count, from: &room)
                return .string(rendered)
            }
            let whole = try self.value(of: reference)
            let extent = whole.withoutFileContents.extent
            guard depth + extent.depth <= ReferenceTemplate.maximumRenderedDepth else {
                throw .tooDeep(limit: ReferenceTemplate.maximumRenderedDepth)
            }
            try take(extent.bytes, from: &room)
            return whole
        case .array(let elements):
            var rendered: [JSON] = []
            for element in elements {
                rendered.append(try renderValue(element, depth: depth + 1, room: &room))
            }
            return .array(rendered)
        case .object(let object):
            var rendered = JSONObject()
            for member in object.members {
                rendered[member.key] = try renderValue(member.value, depth: depth + 1, room: &room)
            }
            return .object(rendered)
        default: return value
        }
    }

    private func take(_ bytes: Int, from room: inout Int) throws(ReferenceError) {
        room -= bytes
        guard room >= 0 else { throw .tooLarge(limit: ReferenceTemplate.maximumRenderedBytes) }
    }

    func value(of reference: Reference) throws(ReferenceError) -> JSON {
        guard let value = self[reference.path] else { throw .unbound(reference.name) }
        return value
    }

    private func template(_ text: String) throws(ReferenceError) -> ReferenceTemplate {
        do { return try ReferenceTemplate(text) } catch { throw .malformed(error.reason) }
    }
}
