/// Checks a document against a schema before anything of it runs: https://spec.graphql.org/October2021/#sec-Validation
struct GraphQLValidator {
    /// What a definition uses, before its spreads are followed.
    struct Usage {
        var variables: [(name: String, expected: GraphQLSchema.InputValue?, location: GraphQLLocation)] = []
        var spreads: [String] = []
    }

    /// Errors that are reported at once.
    static let errorLimit = 100

    let schema: GraphQLSchema
    let document: GraphQLDocument
    private(set) var errors: [GraphQLError] = []

    /// All that is wrong; empty for a good document.
    static func errors(in document: GraphQLDocument, schema: GraphQLSchema) -> [GraphQLError] {
        var validator = GraphQLValidator(schema: schema, document: document)
        validator.run()
        return Array(validator.errors.prefix(errorLimit))
    }

    private init(schema: GraphQLSchema, document: GraphQLDocument) {
        self.schema = schema
        self.document = document
    }

    mutating func report(_ message: String, at location: GraphQLLocation) {
        errors.append(GraphQLError(message, .validationFailed, at: location))
    }

    private mutating func run() {
        checkNames()
        var usages: [String: Usage] = [:]
        for fragment in document.fragments {
            var usage = Usage()
            check(fragment.directives, &usage)
            if checkCondition(fragment.condition, of: "Fragment \"\(fragment.name)\"", at: fragment.location) {
                check(fragment.selections, on: fragment.condition, &usage)
            }
            usages[fragment.name] = usage
        }
        let hasCycles = checkCycles(usages)
        var reached: Set<String> = []
        for operation in document.operations {
            var usage = Usage()
            check(operation.directives, &usage)
            let root = GraphQLSchema.root(of: operation.kind)
            if schema.fields(of: root) == nil {
                report(
                    "Schema is not configured to execute \(operation.kind.rawValue) operation.",
                    at: operation.location)
            } else {
                check(operation.selections, on: root, &usage)
            }
            checkVariables(of: operation, usage, usages, &reached)
        }
        for fragment in document.fragments where !reached.contains(fragment.name) {
            report("Fragment \"\(fragment.name)\" is never used.", at: fragment.location)
        }
        // Only what is good so far, and ends, can be merged.
        if errors.isEmpty, !hasCycles { checkMerging() }
    }

    private mutating func checkNames() {
        var names: Set<String> = []
        for operation in document.operations {
            guard let name = operation.name else {
                if document.operations.count > 1 {
                    report("This anonymous operation must be the only defined operation.", at: operation.location)
                }
                continue
            }
            if !names.insert(name).inserted {
                report("There can be only one operation named \"\(name)\".", at: operation.location)
            }
        }
        names = []
        for fragment in document.fragments where !names.insert(fragment.name).inserted {
            report("There can be only one fragment named \"\(fragment.name)\".", at: fragment.location)
        }
    }

    /// - Returns: whether its fields can be looked at.
    private mutating func checkCondition(_ type: String, of what: String, at location: GraphQLLocation) -> Bool {
        if schema.fields(of: type) != nil { return true }
        report(
            schema[type] == nil
                ? "Unknown type \"\(type)\"." : "\(what) cannot condition on non composite type \"\(type)\".",
            at: location)
        return false
    }

    private mutating func checkCycles(_ usages: [String: Usage]) -> Bool {
        var hasCycles = false
        for fragment in document.fragments {
            var waiting = usages[fragment.name]?.spreads ?? []
            var seen: Set<String> = []
            while let name = waiting.popLast() {
                if name == fragment.name {
                    report("Cannot spread fragment \"\(name)\" within itself.", at: fragment.location)
                    hasCycles = true
                    break
                }
                if seen.insert(name).inserted { waiting += usages[name]?.spreads ?? [] }
            }
        }
        return hasCycles
    }

    mutating func check(_ selections: [GraphQLSelection], on type: String, _ usage: inout Usage) {
        for selection in selections {
            switch selection {
            case .field(let field): check(field, on: type, &usage)
            case .spread(let name, let directives, let location):
                check(directives, &usage)
                usage.spreads.append(name)
                guard let fragment = document.fragment(name) else {
                    report("Unknown fragment \"\(name)\".", at: location)
                    continue
                }
                checkFit(fragment.condition, on: type, "Fragment \"\(name)\"", at: location)
            case .inline(let condition, let directives, let selections, let location):
                check(directives, &usage)
                guard checkCondition(condition ?? type, of: "Fragment", at: location) else { continue }
                checkFit(condition ?? type, on: type, "Fragment", at: location)
                check(selections, on: condition ?? type, &usage)
            }
        }
    }

    private mutating func checkFit(_ condition: String, on type: String, _ what: String, at location: GraphQLLocation) {
        guard condition != type, schema.fields(of: condition) != nil else { return }
        report(
            "\(what) cannot be spread here as objects of type \"\(type)\" can never be of type \"\(condition)\".",
            at: location)
    }

    private mutating func check(_ field: GraphQLField, on type: String, _ usage: inout Usage) {
        check(field.directives, &usage)
        if field.name == "__typename" {
            check(
                field.arguments, of: [], "field \"\(type).__typename\"", "Field \"__typename\"", field.location,
                &usage)
            return
        }
        guard let definition = schema.fields(of: type)?[field.name] else {
            report("Cannot query field \"\(field.name)\" on type \"\(type)\".", at: field.location)
            return
        }
        check(
            field.arguments, of: definition.arguments, "field \"\(type).\(field.name)\"", "Field \"\(field.name)\"",
            field.location, &usage)
        if schema.fields(of: definition.type.name) != nil {
            if field.selections.isEmpty {
                report(
                    "Field \"\(field.name)\" of type \"\(definition.type)\" must have a selection of subfields. "
                        + "Did you mean \"\(field.name) { ... }\"?", at: field.location)
            }
            check(field.selections, on: definition.type.name, &usage)
        } else if !field.selections.isEmpty {
            report(
                "Field \"\(field.name)\" must not have a selection since type \"\(definition.type)\" has no subfields.",
                at: field.location)
        }
    }

    private static let condition = GraphQLSchema.InputValue(
        name: "if", type: .nonNull(.named("Boolean")), defaultValue: nil)

    private mutating func check(_ directives: [GraphQLDirective], _ usage: inout Usage) {
        for directive in directives {
            guard ["skip", "include"].contains(directive.name) else {
                report("Unknown directive \"@\(directive.name)\".", at: directive.location)
                continue
            }
            check(
                directive.arguments, of: [Self.condition], "directive \"@\(directive.name)\"",
                "Directive \"@\(directive.name)\"", directive.location, &usage)
        }
    }
}
