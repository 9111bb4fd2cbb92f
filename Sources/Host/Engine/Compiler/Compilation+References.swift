import Domain

/// One reference in a template, and where it stands.
struct ReferenceUse {
    let reference: Reference
    let place: SourcePlace
    /// The step whose text it is in; nil in `success_criteria`.
    let step: Int?
    /// Whether the reference is all of its text, and so keeps the value's type.
    let isWhole: Bool
}

extension Compilation {
    /// Finds the references in prompts, parameters and success criteria and checks what each of them names. Those
    /// that name something come back; the fields they ask of AI answers are in `fields` afterwards.
    mutating func collectReferences(successCriteria: SourceNode?) -> [ReferenceUse] {
        var uses: [ReferenceUse] = []
        for (index, step) in steps.enumerated() {
            let texts =
                switch step.kind {
                case .ai: [step.node["prompt_template"]]
                case .system: [step.node["parameters"]]
                }
            for node in texts.compactMap({ $0 }) { collectReferences(in: node, step: index, &uses) }
        }
        if let node = successCriteria?["health_checks"] {
            collectReferences(in: node, step: nil, &uses)
        }
        let inputs = Dictionary(inputs.map { ($0.key, $0) }) { first, _ in first }
        return uses.filter { !findings.isFull && check($0, inputs) && checkSecret($0) }
    }

    private mutating func collectReferences(
        in node: SourceNode, step: Int?, _ uses: inout [ReferenceUse]
    ) {
        var strings: [(text: String, place: SourcePlace)] = []
        node.forEachString { text, place in
            if text.utf8.contains(UInt8(ascii: "{")) { strings.append((text, place)) }
        }
        for (string, place) in strings where uses.count <= TemplateCompiler.maximumReferences {
            let scan = ReferenceScan(string)
            let references = scan.references
            guard uses.count + references.count <= TemplateCompiler.maximumReferences else {
                findings.add(
                    "too_many",
                    "the template has more than \(TemplateCompiler.maximumReferences) references from its beginning to "
                        + "this text", at: place)
                return
            }
            let texts = references.map(\.text)
            for (index, reference) in references.enumerated() {
                var exact = place
                exact.piece = SourcePlace.Piece(texts: texts, index: index)
                uses.append(
                    ReferenceUse(
                        reference: reference, place: exact, step: step, isWhole: scan.segments.count == 1))
            }
            let faults = scan.faults.map(\.text)
            for (index, fault) in scan.faults.enumerated() where !findings.isFull {
                var exact = place
                exact.piece = SourcePlace.Piece(texts: faults, index: index)
                findings.add(fault.code, fault.reason, at: exact)
            }
        }
    }

    /// Whether the reference names something that can be bound; reports it otherwise.
    private mutating func check(_ use: ReferenceUse, _ inputs: [String: InputDeclaration]) -> Bool {
        let root = use.reference.root
        if root == "deployment_config" { return checkConstant(use) }
        let owners = names.steps(named: root)
        if owners.count > 1 {
            findings.add(
                "ambiguous_reference",
                "\(use.reference.text) may mean \(Spelling.list(owners.map { steps[$0].name })); "
                    + "use the expected_output or the slug of one of them", at: use.place)
            return false
        }
        if let owner = owners.first { return checkOutput(use, of: owner) }
        if NameTable.executionOutputs.contains(root) { return checkExecutionOutput(use) }
        if let input = inputs[root] { return checkInput(use, input) }
        if unreadableNames.contains(root) { return false }
        let known =
            self.inputs.map(\.key) + names.names + NameTable.executionOutputs + ["deployment_config"]
        findings.add(
            "unknown_reference",
            "\(use.reference.text) names nothing: \"\(root)\" is no input, no output of a step and not "
                + "deployment_config", suggestion: Spelling.nearest(to: root, among: known), at: use.place)
        return false
    }

    private mutating func checkConstant(_ use: ReferenceUse) -> Bool {
        var value = deploymentConfig
        for name in use.reference.path.dropFirst() {
            let next = value.arrayValue.flatMap { list in
                Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
            }
            guard let inner = next ?? value[name] else {
                findings.add(
                    "unknown_reference", "\(use.reference.text): deployment_config has no \"\(name)\" there",
                    suggestion: Spelling.nearest(to: name, among: value.objectValue?.keys ?? []), at: use.place)
                return false
            }
            value = inner
        }
        return true
    }

    private mutating func checkInput(_ use: ReferenceUse, _ input: InputDeclaration) -> Bool {
        if use.reference.path.count > 1, input.kind != .object, input.kind != .array {
            findings.add(
                "unknown_reference",
                "\(use.reference.text): the input \"\(input.key)\" is of type \(input.kind.rawValue) and has no parts",
                suggestion: input.key, at: use.place)
            return false
        }
        if input.isOptional, input.defaultValue == nil, let step = use.step, !steps[step].isOptional {
            findings.add(
                "maybe_unbound_reference",
                "\(use.reference.text) may have no value: the input \"\(input.key)\" is optional; give it a default, "
                    + "or make the step optional", at: use.place)
        }
        return true
    }

    private mutating func checkExecutionOutput(_ use: ReferenceUse) -> Bool {
        if names.sources(ofExecutionOutput: use.reference.root)?.isEmpty == true {
            // A step that could not be read may be the one that provides it.
            guard unreadableNames.isEmpty else { return false }
            findings.add(
                "unknown_reference",
                "\(use.reference.text) is never bound: no step of this template runs the command that provides it "
                    + "(\(use.reference.root == "database_url" ? "setup_database" : "deploy_application"))",
                at: use.place)
            return false
        }
        return true
    }

    private mutating func checkOutput(_ use: ReferenceUse, of owner: Int) -> Bool {
        if let step = use.step, step != owner, steps[owner].isOptional, !steps[step].isOptional {
            findings.add(
                "maybe_unbound_reference",
                "\(use.reference.text) may have no value: the step \"\(steps[owner].name)\" is optional; "
                    + "make this step optional too", at: use.place)
        }
        guard steps[owner].kind == .ai else { return true }
        let path = use.reference.path.dropFirst()
        if let first = path.first, AnswerSchema.envelope.contains(first) {
            let isText = first == "summary" && path.count > 1
            guard !isText else {
                findings.add(
                    "unknown_reference", "\(use.reference.text): \"summary\" is text and has no parts",
                    suggestion: "\(use.reference.root).summary", at: use.place)
                return false
            }
            return true
        }
        if let position = path.first(where: { name in name.utf8.allSatisfy { 0x30...0x39 ~= $0 } }) {
            findings.add(
                "unknown_reference",
                "\(use.reference.text): an AI answer has named fields, \"\(position)\" is a position", at: use.place)
            return false
        }
        fieldCounts[owner] += fields[owner].require(path, meaning: meaning(of: use))
        guard fieldCounts[owner] <= TemplateCompiler.maximumAnswerFields else {
            findings.add(
                "too_many",
                "\(use.reference.text) asks one field too many of \"\(steps[owner].name)\": an answer may have "
                    + "\(TemplateCompiler.maximumAnswerFields)", at: use.place)
            return false
        }
        return true
    }

    /// What a model is told of a field that later steps refer to.
    private func meaning(of use: ReferenceUse) -> String? {
        guard let step = use.step, steps[step].command == "setup_database",
            use.place.path.ends(with: ["parameters", "schema"])
        else { return nil }
        return "PostgreSQL DDL: statements that can be run as they are, in one transaction, on an empty database."
    }
}
