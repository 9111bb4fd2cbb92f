import Domain

extension Compilation {
    /// Whether a reference stands for a secret: a connection URL or a password, by the execution's own name for it or
    /// as a part of the result that it comes from.
    private func isSecret(_ reference: Reference) -> Bool {
        var path = reference.path[...]
        if let owner = names.steps(named: reference.root).first {
            guard [.setupDatabase, .deployApplication].contains(steps[owner].knownCommand) else { return false }
            path = path.dropFirst()
        }
        return switch path.first {
        case "database_url": true
        case "admin_credentials": path.count == 1 || path[path.startIndex + 1] == "password"
        default: false
        }
    }

    /// A secret is never put into a text that a model, a log or a URL could carry on: only a parameter of a system step
    /// or a connection string may be one, as a whole.
    mutating func checkSecret(_ use: ReferenceUse) -> Bool {
        guard isSecret(use.reference), let step = use.step else { return true }
        if steps[step].kind == .ai {
            findings.add(
                "secret_in_prompt",
                "\(use.reference.text) is a secret, and a prompt must not have one; an application finds it in its "
                    + "environment", at: use.place)
            return false
        }
        guard use.isWhole else {
            findings.add(
                "secret_in_text",
                "\(use.reference.text) is a secret and cannot be part of a text; make it the whole value", at: use.place
            )
            return false
        }
        return true
    }

    mutating func refuseSecrets(in text: String, at place: SourcePlace) {
        for case .reference(let reference) in ReferenceScan(text).segments where isSecret(reference) {
            findings.add(
                "secret_in_text", "\(reference.text) is a secret and cannot be part of a URL", at: place)
        }
    }
}
