import Domain

extension Compilation {
    /// Reads `configuration`: the inputs and `deployment_config`. Returns the places of the inputs by key.
    mutating func readConfiguration(_ node: SourceNode) -> [String: SourcePlace] {
        guard
            let fields = FieldReader(
                node, subject: "configuration", allowed: ["required_inputs", "deployment_config"], findings: &findings)
        else { return [:] }
        var places: [String: SourcePlace] = [:]
        for (index, element) in (fields.array("required_inputs", maximum: 200, &findings) ?? []).enumerated() {
            guard let input = readInput(element, number: index + 1) else {
                if let key = element["key"]?.string { unreadableNames.insert(key) }
                continue
            }
            let place = element["key"]?.place ?? element.place
            guard places[input.key] == nil else {
                findings.add("duplicate_input", "the input \"\(input.key)\" is declared twice", at: place)
                continue
            }
            places[input.key] = place
            inputs.append(input)
        }
        if let node = fields.member("deployment_config", &findings) { readDeploymentConfig(node) }
        return places
    }

    private mutating func readDeploymentConfig(_ node: SourceNode) {
        guard case .mapping = node.content else {
            findings.add(
                "wrong_type", "deployment_config must be an object, not \(node.withArticle)", at: node.place)
            return
        }
        deploymentConfig = node.json
        if let provider = node["provider"], provider.string == nil {
            findings.add(
                "wrong_type", "\"provider\" of deployment_config must be a string, not \(provider.withArticle)",
                at: provider.place)
        }
        if let automatic = node["auto_deploy"], automatic.json != true {
            findings.add(
                automatic.json == false ? "approval_unsupported" : "wrong_type",
                automatic.json == false
                    ? "\"auto_deploy\": false asks for an approval before deploying, which this version does not have"
                    : "\"auto_deploy\" of deployment_config must be true or false, not \(automatic.withArticle)",
                at: automatic.place)
        }
        var found: [SourcePlace] = []
        node.forEachString { text, place in if text.contains("{{") { found.append(place) } }
        for place in found {
            findings.add(
                "reference_not_allowed", "deployment_config holds constants; references belong in steps", at: place)
        }
    }

    private mutating func readInput(_ node: SourceNode, number: Int) -> InputDeclaration? {
        guard
            let fields = FieldReader(
                node, subject: "input \(number)",
                allowed: ["key", "type", "label", "description", "validation", "options", "default", "optional"],
                findings: &findings)
        else { return nil }
        let key = readInputKey(fields)
        if fields.node["type"]?.string == "secret", let place = fields.node["type"]?.place {
            findings.add(
                "secret_input",
                "inputs of type secret are not supported in this version; configure the credential at its provider",
                at: place)
            return nil
        }
        let kind: InputDeclaration.Kind? = fields.choice("type", required: true, &findings)
        let label = fields.string("label", &findings)
        let description = fields.string("description", &findings)
        let pattern = readPattern(fields, kind: kind)
        let options = readOptions(fields, kind: kind)
        let isOptional = fields.boolean("optional", default: false, &findings)
        guard let key, let kind else { return nil }
        let bare = InputDeclaration(
            key: key, kind: kind, label: label, description: description, pattern: pattern, options: options,
            defaultValue: nil, isOptional: isOptional)
        guard let value = fields.member("default", &findings) else { return bare }
        for fault in bare.faults(of: value.json, steps: &patternSteps) {
            findings.add(
                "default_does_not_fit", "the default of the input \"\(key)\" \(fault.message)",
                suggestion: fault.suggestion, at: value.place)
        }
        return InputDeclaration(
            key: key, kind: kind, label: label, description: description, pattern: pattern, options: options,
            defaultValue: value.json, isOptional: isOptional)
    }

    private mutating func readInputKey(_ fields: FieldReader) -> String? {
        guard let key = fields.string("key", required: true, maximum: 100, &findings),
            let place = fields.node["key"]?.place
        else { return nil }
        guard Identifier.isValid(key) else {
            findings.add(
                "invalid_id", "the input key \"\(key)\" must match \(Identifier.pattern)",
                suggestion: Identifier.slug(of: key), at: place)
            return nil
        }
        guard !NameTable.reserved.contains(key) else {
            findings.add("reserved_name", "\"\(key)\" is a name the execution itself binds; choose another", at: place)
            return nil
        }
        return key
    }

    private mutating func readPattern(_ fields: FieldReader, kind: InputDeclaration.Kind?) -> String? {
        guard let pattern = fields.string("validation", maximum: 1_000, &findings),
            let place = fields.node["validation"]?.place
        else { return nil }
        if let kind, kind != .string {
            findings.add(
                "pattern_not_allowed", "a pattern is for inputs of type string, not \(kind.rawValue)", at: place)
            return nil
        }
        do throws(InputPattern.Fault) {
            _ = try InputPattern(pattern)
            return pattern
        } catch {
            findings.add("invalid_pattern", "the pattern \"\(pattern)\" is not valid: it \(error)", at: place)
            return nil
        }
    }

    private mutating func readOptions(_ fields: FieldReader, kind: InputDeclaration.Kind?) -> [JSON]? {
        guard let elements = fields.array("options", maximum: 200, &findings), let place = fields.node["options"]?.place
        else {
            return nil
        }
        if elements.isEmpty { findings.add("empty_field", "\"options\" must not be empty", at: place) }
        var options: [JSON] = []
        for element in elements {
            let value = element.json
            if let kind, kind != .array, !kind.admits(value) {
                findings.add(
                    "wrong_type", "an option must be of the input's type \(kind.rawValue), not \(element.withArticle)",
                    at: element.place)
            } else if options.contains(value) {
                findings.add("duplicate_option", "the option \(value.text) is given twice", at: element.place)
            }
            options.append(value)
        }
        return options
    }
}
