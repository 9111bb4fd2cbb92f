import Domain

extension ExecutionPlan {
    /// The steps, each behind all that it depends on; of those that could come next the first in the template does.
    ///
    /// So the order is the same however long the steps of a run took.
    var stepsInOrder: [PlannedStep] {
        var left = Array(steps.indices)
        var done: Set<Int> = []
        var ordered: [PlannedStep] = []
        while !left.isEmpty {
            // The compiler refuses cycles; a stored plan that had one would come in the template's order.
            let next = left.firstIndex { done.isSuperset(of: steps[$0].dependencies) } ?? 0
            let index = left.remove(at: next)
            done.insert(index)
            ordered.append(steps[index])
        }
        return ordered
    }
}
