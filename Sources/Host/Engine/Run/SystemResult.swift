import Domain

/// What a provider answered to a system step, taken apart and checked before anything of it is believed.
struct SystemResult: Sendable {
    static let maximumResourceBytes = 65_536
    static let maximumSecrets = 32
    static let maximumSecretBytes = 65_536
    static let maximumURLBytes = 2_048

    /// What becomes the step's output, without secrets.
    let output: JSONObject
    /// Null where the provider gave none that can be kept: then it finds what it made by name.
    let resource: JSON
    let secrets: [(key: String, value: String)]
    private let formFault: String?

    init(_ result: JSON) {
        var output = result.objectValue ?? JSONObject()
        let resource = output["resource"] ?? .null
        let secrets = output["secrets"] ?? .null
        output["resource"] = nil
        output["secrets"] = nil
        self.output = output
        let fits =
            resource.isNull || resource.objectValue != nil && resource.text.utf8.count <= Self.maximumResourceBytes
        self.resource = fits ? resource : .null
        let members = secrets.objectValue?.members ?? []
        self.secrets = members.compactMap { member in member.value.stringValue.map { (member.key, $0) } }
        formFault =
            if result.objectValue == nil {
                "it is \(result.typeName), not an object"
            } else if !fits {
                "its resource is no object of at most \(Self.maximumResourceBytes) bytes"
            } else if !secrets.isNull, secrets.objectValue == nil {
                "its secrets are \(secrets.typeName), not an object"
            } else if self.secrets.count != members.count || members.count > Self.maximumSecrets
                || self.secrets.contains(where: { $0.value.isEmpty || $0.value.utf8.count > Self.maximumSecretBytes })
            {
                "its secrets are no \(Self.maximumSecrets) strings of 1 to \(Self.maximumSecretBytes) bytes"
            } else if Self.repeats(self.secrets.map(\.value), in: [.object(output), self.resource]) {
                "it repeats a secret outside its secrets"
            } else {
                nil
            }
    }

    /// Shorter ones stand anywhere by chance.
    private static let shortestRecognized = 8

    private static func repeats(_ secrets: [String], in places: [JSON]) -> Bool {
        let texts = places.map(\.text)
        return secrets.contains { secret in
            guard secret.utf8.count >= shortestRecognized else { return false }
            let written = JSON.string(secret).text.dropFirst().dropLast()
            return texts.contains { $0.contains(written) }
        }
    }

    /// Why the answer is not one to this command, in words for operators that quote nothing of it; nil where it is.
    func fault(of command: SystemCommand?) -> String? {
        if let formFault { return formFault }
        // Beside the secrets it would be stored and shown as it is.
        if output["database_url"] != nil { return "its database_url is not among its secrets" }
        switch command {
        case .setupDatabase:
            return secrets.contains { $0.key == "database_url" } ? nil : "it has no database_url among its secrets"
        case .deployApplication:
            return Self.isWebAddress(output["app_url"]?.stringValue) ? nil : "its app_url is no http or https URL"
        case .setupDomain:
            guard let domain = output["domain"] else { return nil }
            return Self.isHostName(domain.stringValue) ? nil : "its domain is no host name"
        case .createDeploymentConfig, .setupMonitoring, nil: return nil
        }
    }

    private static func isWebAddress(_ text: String?) -> Bool {
        guard let text, text.utf8.count <= maximumURLBytes, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) })
        else { return false }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        // Paths are put behind it, and a user's name or password in it would be shown.
        let isPlain = !text.contains { "?#\\\"<>".contains($0) } && !authority.contains("@")
        return isPlain && !authority.isEmpty && authority.first != ":"
    }

    private static func isHostName(_ text: String?) -> Bool {
        guard let text, text.utf8.count <= 253 else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            1...63 ~= label.utf8.count
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }
}

extension ProviderError {
    static func invalidResult(_ work: SystemWork, _ fault: String) -> ProviderError {
        ProviderError(
            .internal, "the plugin \(work.route.pluginID) gave no valid result of \(work.route.operation): \(fault)")
    }
}
