// Fields with one key in one place must be one field: otherwise the answer could hold only one of them.
extension GraphQLValidator {
    /// Fields that are compared at most: fragments can multiply a short document.
    private static let mergingLimit = 20_000

    mutating func checkMerging() {
        for operation in document.operations {
            var budget = Self.mergingLimit
            checkMerging(operation.selections, &budget, at: operation.location)
        }
    }

    private mutating func checkMerging(
        _ selections: [GraphQLSelection], _ budget: inout Int, at location: GraphQLLocation
    ) {
        var fields: [GraphQLField] = []
        var seen: Set<String> = []
        gather(selections, &fields, &seen)
        budget -= fields.count
        guard budget > 0 else {
            if errors.isEmpty { report("The query is too complex.", at: location) }
            return
        }
        var groups: [(first: GraphQLField, selections: [GraphQLSelection])] = []
        var positions: [String: Int] = [:]
        for field in fields {
            guard let position = positions[field.key] else {
                positions[field.key] = groups.count
                groups.append((field, field.selections))
                continue
            }
            let first = groups[position].first
            groups[position].selections += field.selections
            let reason =
                first.name != field.name
                ? "\"\(first.name)\" and \"\(field.name)\" are different fields"
                : Self.spelled(first.arguments) != Self.spelled(field.arguments) ? "they have differing arguments" : nil
            guard let reason else { continue }
            report(
                "Fields \"\(field.key)\" conflict because \(reason). Use different aliases on the fields to fetch both "
                    + "if this was intentional.", at: first.location)
        }
        for group in groups where !group.selections.isEmpty && budget > 0 {
            checkMerging(group.selections, &budget, at: location)
        }
    }

    private func gather(_ selections: [GraphQLSelection], _ fields: inout [GraphQLField], _ seen: inout Set<String>) {
        for selection in selections {
            switch selection {
            case .field(let field): fields.append(field)
            case .inline(_, _, let selections, _): gather(selections, &fields, &seen)
            case .spread(let name, _, _):
                if seen.insert(name).inserted, let fragment = document.fragment(name) {
                    gather(fragment.selections, &fields, &seen)
                }
            }
        }
    }

    private static func spelled(_ arguments: [GraphQLArgument]) -> [String: String] {
        Dictionary(arguments.map { ($0.name, $0.value.text) }) { first, _ in first }
    }
}
