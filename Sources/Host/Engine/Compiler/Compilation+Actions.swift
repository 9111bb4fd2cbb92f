import Domain

extension Compilation {
    /// What a step does, its provider checked against the routing table; nil only where there are findings.
    mutating func action(of index: Int) -> PlannedStep.Action? {
        switch steps[index].kind {
        case .ai: aiAction(steps[index], fields[index]).map { .ai($0) }
        case .system: systemAction(steps[index]).map { .system($0) }
        }
    }

    private mutating func aiAction(_ step: StepDraft, _ fields: AnswerFields) -> AIAction? {
        let reader = step.fields
        let prompt = reader.string("prompt_template", required: true, &findings)
        let model = reader.string("model", maximum: 200, &findings)
        let system = reader.string("system", &findings)
        if let system, system.contains("{{"), let place = reader.node["system"]?.place {
            findings.add(
                "reference_not_allowed",
                "\"system\" of \(reader.subject) is sent as it is written; references belong in prompt_template",
                at: place)
        }
        let tokens = reader.integer("max_output_tokens", in: 1...128_000, &findings) ?? 8_192
        guard let provider = reader.string("ai_provider", required: true, &findings),
            let place = reader.node["ai_provider"]?.place
        else { return nil }
        if dispatch.route(for: .aiProvider(provider)) == nil {
            let served = dispatch.routes.compactMap { if case .aiProvider(let name) = $0 { name } else { nil } }
            findings.add(
                "unserved_provider", "no plugin serves the ai_provider \"\(provider)\"; \(Self.served(served))",
                suggestion: Spelling.nearest(to: provider, among: served.sorted()), at: place)
        }
        return prompt.map {
            AIAction(
                provider: provider, model: model, system: system, promptTemplate: $0, maximumOutputTokens: tokens,
                answerSchema: AnswerSchema.schema(for: fields))
        }
    }

    private mutating func systemAction(_ step: StepDraft) -> SystemAction? {
        let reader = step.fields
        let parameters = reader.member("parameters", &findings)
        if let parameters {
            guard case .mapping = parameters.content else {
                findings.add(
                    "wrong_type",
                    "\"parameters\" of \(reader.subject) must be an object, not \(parameters.withArticle)",
                    at: parameters.place)
                return nil
            }
        }
        guard let command = reader.string("command", required: true, &findings),
            let place = reader.node["command"]?.place,
            let (provider, providerPlace) = commandProvider(command, parameters, at: place)
        else { return nil }
        if dispatch.route(for: .command(command, provider: provider)) == nil {
            reportUnserved(command, provider, commandPlace: place, providerPlace: providerPlace)
        }
        return SystemAction(
            command: command, provider: provider, parameters: parameters?.json ?? .object(JSONObject()))
    }

    /// Who carries out a command: `parameters.provider`, else `deployment_config.provider`, else `core`. Known when
    /// the template is compiled, so that a run never starts towards a provider that is not there.
    private mutating func commandProvider(
        _ command: String, _ parameters: SourceNode?, at place: SourcePlace
    ) -> (String, SourcePlace)? {
        let standard = deploymentConfig["provider"].map { $0.stringValue } ?? "core"
        // A provider in deployment_config that is not a word has been reported there.
        guard let standard, !standard.contains("{{") else { return nil }
        guard let node = parameters?["provider"] else { return (standard, place) }
        guard let written = node.string else {
            findings.add(
                "wrong_type", "\"provider\" of parameters must be a string, not \(node.withArticle)", at: node.place)
            return nil
        }
        // Of a database, it is the engine that parameters name.
        if command == SystemCommand.setupDatabase.rawValue, written == "postgresql" { return (standard, place) }
        let constants = ReferenceScope(configuration: .null, deploymentConfig: deploymentConfig)
        guard let rendered = try? constants.renderValue(.string(written)) else {
            let isKnown = ReferenceScan(written).segments.contains { segment in
                if case .reference(let reference) = segment { reference.root != "deployment_config" } else { false }
            }
            // An unknown part of deployment_config has been reported with the references.
            if isKnown {
                findings.add(
                    "provider_not_constant",
                    "\"provider\" of parameters must be a word or refer to deployment_config, not to what only a run "
                        + "knows", at: node.place)
            }
            return nil
        }
        guard let provider = rendered.stringValue, !provider.isEmpty else {
            findings.add("wrong_type", "\"provider\" of parameters must render to a string", at: node.place)
            return nil
        }
        return (provider, node.place)
    }

    private mutating func reportUnserved(
        _ command: String, _ provider: String, commandPlace: SourcePlace, providerPlace: SourcePlace
    ) {
        let served = dispatch.routes.compactMap { key in
            if case .command(let name, let provider) = key { (name: name, provider: provider) } else { nil }
        }
        let providers = served.filter { $0.name == command }.map(\.provider)
        if providers.isEmpty {
            let commands = served.map(\.name)
            findings.add(
                "unserved_command", "no plugin serves the command \"\(command)\"; \(Self.served(commands))",
                suggestion: Spelling.nearest(to: command, among: Set(commands).sorted()), at: commandPlace)
        } else {
            findings.add(
                "unserved_provider",
                "no plugin serves the command \"\(command)\" of the provider \"\(provider)\"; \(Self.served(providers))",
                suggestion: Spelling.nearest(to: provider, among: Set(providers).sorted()), at: providerPlace)
        }
    }

    private static func served(_ names: [String]) -> String {
        names.isEmpty ? "none is served here" : "served are \(Spelling.list(Set(names).sorted()))"
    }
}
