public import Domain
import PluginABI

extension PluginManifest {
    /// The host services that exist.
    static let knownServices = [AIB_SVC_LOG, AIB_SVC_HTTP, AIB_SVC_TIMER, AIB_SVC_HMAC, AIB_SVC_BLOB]
    private static let ledgerNames = ["claude", "openai", "custom"]

    /// Reads the bytes of `plugin.json`.
    ///
    /// - Parameter file: named by the diagnostics.
    /// - Throws: everything that is wrong with it.
    public init(parsing bytes: [UInt8], file: String? = nil) throws(Diagnostics) {
        let json: JSON
        guard bytes.count <= Self.maximumBytes else {
            throw Diagnostics(
                [
                    Diagnostic(
                        code: "too_large",
                        message: "the manifest has \(bytes.count) bytes; at most \(Self.maximumBytes) are allowed",
                        pointer: "")
                ], file: file)
        }
        do throws(JSONError) {
            json = try JSON.parse(bytes)
        } catch {
            throw Diagnostics(
                [
                    Diagnostic(
                        code: "invalid_json", message: error.reason, pointer: "", line: error.line,
                        column: error.column)
                ], file: file)
        }
        var reader = ManifestReader()
        self.init(json, &reader)
        if !reader.problems.isEmpty { throw Diagnostics(reader.problems, file: file) }
    }

    private init(_ json: JSON, _ reader: inout ManifestReader) {
        let root = reader.object(
            json, at: "",
            allowing: [
                "id", "name", "version", "license", "homepage", "abi", "operations", "serves", "ledger_name", "config",
                "secrets", "egress", "services", "limits",
            ])
        id = reader.string(root, "id", at: "")
        name = reader.string(root, "name", at: "")
        version = reader.string(root, "version", at: "")
        license = reader.string(root, "license", at: "")
        homepage = root?["homepage"] == nil ? nil : reader.string(root, "homepage", at: "")
        if root?["abi"] == nil, root != nil { _ = reader.string(root, "abi", at: "") }
        let abi = reader.object(root?["abi"], at: "/abi", allowing: ["major", "min_host_minor"])
        abiMajor = reader.integer(abi, "major", in: 0...65_535, default: nil, at: "/abi")
        minimumHostMinor = reader.integer(abi, "min_host_minor", in: 0...65_535, default: 0, at: "/abi")
        operations = Self.operations(root, &reader)
        serves = Self.served(root, operations.map(\.name), &reader)
        ledgerName = reader.choice(root, "ledger_name", of: Self.ledgerNames, default: "custom", at: "")
        configuration = ConfigurationSchema(root?["config"], at: "/config", &reader)
        egress = reader.strings(root, "egress", at: "")
        for (index, host) in egress.enumerated() where !Self.isHost(host) {
            reader.report(
                "invalid_host",
                "\"\(host)\" is not a host name: give the name alone, like api.example.com or *.example.com",
                at: "/egress/\(index)")
        }
        Self.checkDefaults(configuration, egress: egress, &reader)
        secrets = Self.secrets(root, egress: egress, &reader)
        services = reader.strings(root, "services", at: "")
        for (index, service) in services.enumerated() where !Self.knownServices.contains(service) {
            reader.report(
                "unknown_service",
                "this host has no service \"\(service)\"; it has \(Self.knownServices.joined(separator: ", "))",
                suggestion: Spelling.nearest(to: service, among: Self.knownServices), at: "/services/\(index)")
        }
        let limits = reader.object(root?["limits"], at: "/limits", allowing: ["concurrency"])
        concurrency = reader.integer(limits, "concurrency", in: 1...4_096, default: 64, at: "/limits")
        if !id.isEmpty, !Self.isIdentifier(id) {
            reader.report(
                "invalid_id", "the id \"\(id)\" must be 1 to 64 lower-case letters, digits, '-' and '_'", at: "/id")
        }
    }

    /// A default may not open what `egress` does not: only an operator names an origin beyond it.
    private static func checkDefaults(
        _ configuration: ConfigurationSchema, egress: [String], _ reader: inout ManifestReader
    ) {
        for property in configuration.properties where property.isEgress {
            guard let url = property.defaultValue?.stringValue, let origin = ConfigurationSchema.origin(of: url) else {
                continue
            }
            let authority = origin.hasPrefix("https://") ? origin.dropFirst(8) : ""
            let host = authority.hasSuffix(":443") ? authority.dropLast(4) : authority
            if EgressPolicy(hosts: egress).covers(host: String(host)) { continue }
            reader.report(
                "invalid_default",
                "the default of \"\(property.name)\" must be an https URL on a host that \"egress\" names, on port 443, "
                    + "not \(origin)", at: "/config/properties/\(property.name)/default")
        }
    }

    private static func operations(_ root: JSONObject?, _ reader: inout ManifestReader) -> [Operation] {
        let list = reader.array(root, "operations", at: "")
        if root != nil, list.isEmpty {
            reader.report("missing_member", "a plugin offers at least one operation", at: "/operations")
        }
        var operations: [Operation] = []
        for (index, json) in list.enumerated() {
            let pointer = "/operations/\(index)"
            let object = reader.object(
                json, at: pointer, allowing: ["name", "streaming", "cancellable", "idempotent", "cost_class"])
            let operation = Operation(
                name: reader.string(object, "name", at: pointer),
                isStreaming: reader.bool(object, "streaming", default: false, at: pointer),
                isCancellable: reader.bool(object, "cancellable", default: false, at: pointer),
                isIdempotent: reader.bool(object, "idempotent", default: false, at: pointer),
                costClass: Operation.CostClass(
                    rawValue: reader.choice(
                        object, "cost_class", of: Operation.CostClass.allCases.map(\.rawValue), default: "metered",
                        at: pointer)) ?? .metered)
            if operations.contains(where: { $0.name == operation.name }) {
                reader.report("duplicate", "the operation \"\(operation.name)\" is given twice", at: pointer)
            }
            operations.append(operation)
        }
        return operations
    }

    private static func served(
        _ root: JSONObject?, _ operations: [String], _ reader: inout ManifestReader
    ) -> [Served] {
        var served: [Served] = []
        for (index, json) in reader.array(root, "serves", at: "").enumerated() {
            let pointer = "/serves/\(index)"
            let object = reader.object(
                json, at: pointer,
                allowing: ["ai_provider", "command", "provider", "operation", "lookup", "undo"])
            let key: RouteKey
            switch (object?["ai_provider"], object?["command"]) {
            case (_?, nil): key = .aiProvider(reader.string(object, "ai_provider", at: pointer))
            case (nil, _?):
                key = .command(
                    reader.string(object, "command", at: pointer),
                    provider: reader.string(object, "provider", at: pointer))
            default:
                reader.report(
                    "missing_member", "\"\(pointer)\" needs either \"ai_provider\", or \"command\" and \"provider\"",
                    at: pointer)
                continue
            }
            func operation(_ member: String) -> String {
                let name = reader.string(object, member, at: pointer)
                if !name.isEmpty, !operations.contains(name) {
                    reader.report(
                        "unknown_operation",
                        "\"\(name)\" is not among the operations (\(operations.joined(separator: ", ")))",
                        suggestion: Spelling.nearest(to: name, among: operations), at: "\(pointer)/\(member)")
                }
                return name
            }
            for member in ["lookup", "undo"] where object?[member] != nil && object?["command"] == nil {
                reader.report(
                    "unknown_member", "\"\(member)\" goes with a \"command\": an AI call has no effect to undo",
                    at: "\(pointer)/\(member)")
            }
            let entry = Served(
                key: key, operation: operation("operation"),
                lookup: object?["lookup"].map { _ in operation("lookup") },
                undo: object?["undo"].map { _ in operation("undo") })
            if served.contains(where: { $0.key == key }) {
                reader.report("duplicate", "\(key) is served twice", at: pointer)
            }
            served.append(entry)
        }
        return served
    }

    private static func secrets(
        _ root: JSONObject?, egress: [String], _ reader: inout ManifestReader
    ) -> [Secret] {
        reader.array(root, "secrets", at: "").enumerated().map { index, json in
            let pointer = "/secrets/\(index)"
            let object = reader.object(json, at: pointer, allowing: ["name", "uses", "required", "hosts"])
            let uses = reader.strings(object, "uses", at: pointer)
            for (place, use) in uses.enumerated() where !["http", "hmac"].contains(use) {
                reader.report(
                    "unknown_value", "a secret is used for http or hmac, not for \"\(use)\"",
                    at: "\(pointer)/uses/\(place)")
            }
            let hosts = object?["hosts"].map { _ in reader.strings(object, "hosts", at: pointer) }
            for (place, host) in (hosts ?? []).enumerated()
            where !egress.contains(host) && !EgressPolicy(hosts: egress).covers(host: host) {
                reader.report(
                    "invalid_host", "\"\(host)\" is not among the hosts that \"egress\" names",
                    at: "\(pointer)/hosts/\(place)")
            }
            return Secret(
                name: reader.string(object, "name", at: pointer),
                uses: uses.isEmpty ? [.http] : Set(uses.map { $0 == "hmac" ? .hmac : .http }),
                isRequired: reader.bool(object, "required", default: false, at: pointer), hosts: hosts)
        }
    }

    private static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count <= 64
            && text.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    private static func isHost(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return !name.isEmpty
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                !label.isEmpty
                    && label.utf8.allSatisfy {
                        $0 == UInt8(ascii: "-") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20
                            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    }
            }
    }
}
