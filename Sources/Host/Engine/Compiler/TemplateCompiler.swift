public import Domain

/// Turns a template's definition into a plan the engine can run, or says everything that is wrong with it.
///
/// Compiling has no side effects; it asks `dispatch` only which providers and commands are served now.
public struct TemplateCompiler: Sendable {
    /// Steps in one template.
    public static let maximumSteps = 200
    /// References in all texts of one template.
    public static let maximumReferences = 10_000
    /// Fields that references may ask of one AI step's answer, parts of fields included.
    public static let maximumAnswerFields = 1_000

    let dispatch: any Dispatch

    public init(dispatch: any Dispatch) { self.dispatch = dispatch }

    /// Compiles a template's text, YAML 1.2 or JSON. At most 1 MiB and 32 levels deep; no aliases, no tags, no
    /// duplicate keys.
    ///
    /// - Parameter file: the name the text goes by in diagnostics.
    /// - Throws: every diagnostic, in document order, with line and column.
    public func compile(_ text: [UInt8], file: String?) throws(Diagnostics) -> Template {
        let root = try SourceReader.read(text, file: file)
        return try compile(root, text: SourceText(text), file: file)
    }

    /// Compiles a stored definition.
    ///
    /// - Throws: every diagnostic, in document order, with pointers but without lines.
    public func compile(_ source: JSON) throws(Diagnostics) -> Template {
        try compile(SourceNode(source), text: nil, file: nil)
    }

    private func compile(_ root: SourceNode, text: SourceText?, file: String?) throws(Diagnostics) -> Template {
        var compilation = Compilation(dispatch: dispatch, text: text)
        guard let template = compilation.template(root), compilation.findings.isEmpty else {
            throw compilation.findings.diagnostics(file: file)
        }
        return template
    }
}

/// One run of the compiler. Each stage reads what the stages before it left and adds its findings.
struct Compilation {
    let dispatch: any Dispatch
    var findings: Findings
    /// What matching defaults against patterns may still take.
    var patternSteps = InputPattern.maximumSteps

    var deploymentConfig: JSON = .object(JSONObject())
    var inputs: [InputDeclaration] = []
    var steps: [StepDraft] = []
    var names = NameTable()
    /// Names that inputs and steps would have had that could not be read: unknown, but no second fault.
    var unreadableNames: Set<String> = []
    /// The fields that references ask of each step's answer.
    var fields: [AnswerFields] = []
    /// How many those are, step by step.
    var fieldCounts: [Int] = []

    init(dispatch: any Dispatch, text: SourceText?) {
        self.dispatch = dispatch
        findings = Findings(text: text)
    }

    /// nil only where there are findings.
    mutating func template(_ root: SourceNode) -> Template? {
        guard let document = FieldReader(root, subject: "the document", allowed: ["template"], findings: &findings),
            let node = document.member("template", required: true, &findings),
            let parts = FieldReader(
                node, subject: "the template",
                allowed: [
                    "metadata", "configuration", "execution_steps", "success_criteria", "cleanup_on_failure",
                ], findings: &findings)
        else { return nil }

        let metadata = parts.member("metadata", required: true, &findings).flatMap { readMetadata($0) }
        let inputPlaces = parts.member("configuration", &findings).map { readConfiguration($0) } ?? [:]
        readSteps(parts)
        names = NameTable(steps, inputs: inputPlaces, findings: &findings)
        fields = steps.map { _ in AnswerFields() }
        fieldCounts = steps.map { _ in 0 }
        let references = collectReferences(successCriteria: node["success_criteria"])
        let dependencies = resolveDependencies(references)
        let criteria = readSuccessCriteria(parts)
        let cleanup = readCleanup(parts)
        let actions = steps.indices.map { action(of: $0) }

        guard let metadata, findings.isEmpty else { return nil }
        var planned: [PlannedStep] = []
        for (index, step) in steps.enumerated() {
            guard let action = actions[index] else { return nil }
            planned.append(
                PlannedStep(
                    id: step.id, name: step.name, slug: step.slug, action: action,
                    dependencies: dependencies[index].keys.sorted(), outputNames: names.outputs(of: index),
                    isOptional: step.isOptional, timeout: step.timeout, maximumAttempts: step.maximumAttempts))
        }
        let plan = ExecutionPlan(
            templateSlug: metadata.slug, templateVersion: metadata.version, deploymentConfig: deploymentConfig,
            steps: planned, requiredOutputs: criteria.requiredOutputs, healthChecks: criteria.healthChecks,
            cleanup: cleanup)
        return metadata.template(inputs: inputs, plan: plan, source: root.json)
    }
}
