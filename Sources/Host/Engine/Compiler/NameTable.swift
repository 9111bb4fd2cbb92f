import Domain

/// Which step each name stands for.
struct NameTable {
    /// Outputs that belong to the execution, not to one step.
    static let executionOutputs = ["app_url", "final_url", "database_url", "github_repository", "admin_credentials"]
    /// Names that neither inputs nor steps may take.
    static let reserved = executionOutputs + ["deployment_config"]
    /// What the result of a known command is called by convention.
    private static let aliases = [SystemCommand.deployApplication: "deployment_result"]

    private var owners: [String: [Int]] = [:]
    private var ids: [String: Int] = [:]
    private var outputs: [[String]] = []
    private var commands: [String: [Int]] = [:]

    init() {}

    /// - Parameter inputs: the places of the inputs by key: an input and an output cannot share a name.
    init(_ steps: [StepDraft], inputs: [String: SourcePlace], findings: inout Findings) {
        for (index, step) in steps.enumerated() {
            if let other = ids[step.id] {
                findings.add(
                    "duplicate_step_id", "the step_id \(step.id) is already that of \"\(steps[other].name)\"",
                    at: step.node["step_id"]?.place ?? step.place)
            } else {
                ids[step.id] = index
            }
            outputs.append([])
            let slug = (name: step.slug, place: step.place)
            for (name, place) in [step.expectedOutput, slug].compactMap({ $0 }) {
                claim(name, for: index, at: place, steps: steps, inputs: inputs, findings: &findings)
            }
            if let command = step.command { commands[command, default: []].append(index) }
        }
        for (command, alias) in Self.aliases where owners[alias] == nil {
            let indices = self.steps(running: command)
            if indices.isEmpty { continue }
            owners[alias] = indices
            if indices.count == 1 { outputs[indices[0]].append(alias) }
        }
    }

    private mutating func claim(
        _ name: String, for index: Int, at place: SourcePlace, steps: [StepDraft], inputs: [String: SourcePlace],
        findings: inout Findings
    ) {
        if outputs[index].contains(name) { return }
        if let owner = owners[name]?.first {
            findings.add(
                "duplicate_output", "the name \"\(name)\" already stands for the step \"\(steps[owner].name)\"",
                at: place)
        } else if Self.reserved.contains(name) {
            findings.add(
                "reserved_name", "\"\(name)\" is a name the execution itself binds; choose another", at: place)
        } else if inputs[name] != nil {
            findings.add("duplicate_output", "the name \"\(name)\" already stands for an input", at: place)
        } else {
            owners[name] = [index]
            outputs[index].append(name)
        }
    }

    /// The names a step's result is bound to.
    func outputs(of step: Int) -> [String] { outputs[step] }

    /// The steps an output name stands for; more than one where it is ambiguous.
    func steps(named name: String) -> [Int] { owners[name] ?? [] }

    /// The steps a name in `depends_on` may mean: an output, a slug or a `step_id`.
    func steps(dependedOn name: String) -> [Int] {
        var found = owners[name] ?? []
        if let index = ids[name], !found.contains(index) { found.append(index) }
        return found
    }

    /// The steps that carry out a command.
    func steps(running command: SystemCommand) -> [Int] { commands[command.rawValue] ?? [] }

    /// The steps whose results make up one of the execution's own outputs; nil where the host itself provides it.
    func sources(ofExecutionOutput name: String) -> [Int]? {
        let deployments = steps(running: .deployApplication)
        switch name {
        case "github_repository": return nil
        case "final_url": return (deployments + steps(running: .setupDomain)).sorted()
        case "database_url":
            let databases = steps(running: .setupDatabase)
            return databases.isEmpty ? deployments : databases
        default: return deployments
        }
    }

    /// Every name that stands for a step, for "did you mean".
    var names: [String] { owners.keys.sorted() }
}
