import Domain

/// What a step needs, and the place that says so.
typealias DependencyMap = [Int: SourcePlace]

extension Compilation {
    /// Resolves `depends_on` and what references imply; for each step the steps it needs. Cycles are reported.
    mutating func resolveDependencies(_ references: [ReferenceUse]) -> [DependencyMap] {
        var dependencies = steps.map { _ in DependencyMap() }
        for (index, step) in steps.enumerated() {
            for (name, place) in step.dependsOn where !findings.isFull {
                guard let target = resolve(name, at: place) else { continue }
                add(target, to: index, at: place, how: "depends on itself", &dependencies)
            }
        }
        for use in references {
            guard let step = use.step else { continue }
            let root = use.reference.root
            if let owner = names.steps(named: root).first {
                add(owner, to: step, at: use.place, how: "refers to its own output", &dependencies)
            } else if NameTable.executionOutputs.contains(root) {
                // A step may read what it contributes to: setup_domain reads the URL that deployment gave.
                for source in names.sources(ofExecutionOutput: root) ?? [] where source != step {
                    add(source, to: step, at: use.place, how: "", &dependencies)
                }
            }
        }
        // An application is deployed with its databases in place.
        for deployment in names.steps(running: .deployApplication) {
            for database in names.steps(running: .setupDatabase) {
                add(database, to: deployment, at: steps[deployment].place, how: "", &dependencies)
            }
        }
        reportCycles(in: dependencies)
        return dependencies
    }

    private mutating func resolve(_ name: String, at place: SourcePlace) -> Int? {
        let found = names.steps(dependedOn: name)
        switch found.count {
        case 1: return found[0]
        case 0:
            guard !unreadableNames.contains(name) else { return nil }
            findings.add(
                "unknown_dependency",
                "depends_on names \"\(name)\", which is no expected_output, no slug of a step's name and no step_id",
                suggestion: Spelling.nearest(to: name, among: names.names) ?? nearestSlug(name), at: place)
        default:
            findings.add(
                "ambiguous_dependency",
                "depends_on names \"\(name)\", which may mean \(Spelling.list(found.map { steps[$0].name })); "
                    + "use an expected_output or a slug that only one of them has", at: place)
        }
        return nil
    }

    /// A step's name written as it is where its slug belongs.
    private func nearestSlug(_ name: String) -> String? {
        let slug = Identifier.slug(of: name)
        return names.names.contains(slug) ? slug : nil
    }

    private mutating func add(
        _ target: Int, to step: Int, at place: SourcePlace, how: String, _ dependencies: inout [DependencyMap]
    ) {
        if target == step {
            findings.add("cycle", "the step \"\(steps[step].name)\" \(how)", at: place)
        } else if dependencies[step][target] == nil {
            dependencies[step][target] = place
        }
    }

    /// Reports one cycle for each knot of steps, at what makes its first step depend on the next.
    private mutating func reportCycles(in dependencies: [DependencyMap]) {
        var remaining = Set(dependencies.indices)
        // What is left after taking away steps that need nothing that is left, or that nothing left needs, is cycles
        // and what lies between them.
        var changed = true
        while changed {
            let needed = Set(remaining.flatMap { dependencies[$0].keys })
            let ends = remaining.filter { index in
                !needed.contains(index) || remaining.isDisjoint(with: dependencies[index].keys)
            }
            remaining.subtract(ends)
            changed = !ends.isEmpty
        }
        for start in remaining.sorted() where remaining.contains(start) {
            guard let cycle = shortestCycle(from: start, in: dependencies, within: remaining) else { continue }
            remaining.subtract(cycle)
            let path = (cycle + [start]).map { steps[$0].slug }.joined(separator: " → ")
            let place = dependencies[start][cycle.count > 1 ? cycle[1] : start] ?? steps[start].place
            findings.add("cycle", "these steps wait for each other: \(path)", at: place)
        }
    }

    private func shortestCycle(
        from start: Int, in dependencies: [DependencyMap], within steps: Set<Int>
    ) -> [Int]? {
        var previous: [Int: Int] = [:]
        var queue = [start]
        var head = 0
        while head < queue.count {
            let current = queue[head]
            head += 1
            for next in dependencies[current].keys.sorted() where steps.contains(next) {
                if next == start {
                    var path = [current]
                    while let before = previous[path[0]] { path.insert(before, at: 0) }
                    return path
                }
                if previous[next] == nil {
                    previous[next] = current
                    queue.append(next)
                }
            }
        }
        return nil
    }
}
