import Domain

// Arguments, literals and variables.
extension GraphQLValidator {
    /// - Parameters:
    ///   - place: as it stands behind "on", with its type.
    ///   - owner: as a sentence begins with it.
    mutating func check(
        _ arguments: [GraphQLArgument], of definitions: [GraphQLSchema.InputValue], _ place: String, _ owner: String,
        _ location: GraphQLLocation, _ usage: inout Usage
    ) {
        checkUnique(arguments, "argument")
        for argument in arguments {
            guard let definition = definitions.first(where: { $0.name == argument.name }) else {
                report("Unknown argument \"\(argument.name)\" on \(place).", at: argument.location)
                continue
            }
            check(argument.value, of: definition, type: definition.type, &usage)
        }
        let given = Set(arguments.map(\.name))
        for definition in definitions where definition.isRequired && !given.contains(definition.name) {
            report(
                "\(owner) argument \"\(definition.name)\" of type \"\(definition.type)\" is required, "
                    + "but it was not provided.", at: location)
        }
    }

    private mutating func checkUnique(_ arguments: [GraphQLArgument], _ what: String) {
        var names: Set<String> = []
        for argument in arguments where !names.insert(argument.name).inserted {
            report("There can be only one \(what) named \"\(argument.name)\".", at: argument.location)
        }
    }

    private mutating func check(
        _ literal: GraphQLLiteral, of definition: GraphQLSchema.InputValue, type: GraphQLTypeReference,
        _ usage: inout Usage
    ) {
        if case .variable(let name) = literal.kind {
            // A list's elements and an object's members have no default to fall back on, unless it is their own.
            let expected = GraphQLSchema.InputValue(
                name: definition.name, type: type, defaultValue: type == definition.type ? definition.defaultValue : nil
            )
            usage.variables.append((name, expected, literal.location))
            return
        }
        switch (type, literal.kind) {
        case (.nonNull, .constant(.null)):
            report("Expected value of type \"\(type)\", found null.", at: literal.location)
        case (.nonNull(let inner), _): check(literal, of: definition, type: inner, &usage)
        case (_, .constant(.null)): return
        case (.list(let element), .list(let literals)):
            for literal in literals { check(literal, of: definition, type: element, &usage) }
        case (.list(let element), _): check(literal, of: definition, type: element, &usage)
        case (.named(let name), _): check(literal, ofNamed: name, &usage)
        }
    }

    private mutating func check(_ literal: GraphQLLiteral, ofNamed name: String, _ usage: inout Usage) {
        let isMismatch: Bool
        switch (schema[name], literal.kind) {
        case (.enumeration(let names), .enumeration(let word)):
            isMismatch = false
            if !names.contains(word) {
                report("Value \"\(word)\" does not exist in \"\(name)\" enum.", at: literal.location)
            }
        case (.enumeration, _):
            isMismatch = false
            report("Enum \"\(name)\" cannot represent non-enum value: \(literal.text).", at: literal.location)
        case (.input(let definitions), .object(let members)):
            isMismatch = false
            check(members, ofInput: name, definitions, literal.location, &usage)
        case (.scalar, .constant(let value)):
            isMismatch = false
            if let problem = GraphQLInput(schema: schema).scalarProblem(value, name) {
                report(problem.droppingPeriod + ": \(literal.text)", at: literal.location)
            }
        case (.scalar, _):
            isMismatch = ["String", "Int", "Float", "Boolean", "ID", "DateTime"].contains(name)
            // A scalar of any shape may still hold variables.
            if !isMismatch { noteVariables(in: literal, &usage) }
        default: isMismatch = true
        }
        if isMismatch {
            report("Expected value of type \"\(name)\", found \(literal.text.prefix(80)).", at: literal.location)
        }
    }

    private mutating func check(
        _ members: [GraphQLArgument], ofInput name: String, _ definitions: [GraphQLSchema.InputValue],
        _ location: GraphQLLocation, _ usage: inout Usage
    ) {
        checkUnique(members, "input field")
        for member in members {
            guard let definition = definitions.first(where: { $0.name == member.name }) else {
                report("Field \"\(member.name)\" is not defined by type \"\(name)\".", at: member.location)
                continue
            }
            check(member.value, of: definition, type: definition.type, &usage)
        }
        let given = Set(members.map(\.name))
        for definition in definitions where definition.isRequired && !given.contains(definition.name) {
            report(
                "Field \"\(name).\(definition.name)\" of required type \"\(definition.type)\" was not provided.",
                at: location)
        }
    }

    /// Inside a scalar's value a variable of any type may stand: nobody knows which is expected.
    private func noteVariables(in literal: GraphQLLiteral, _ usage: inout Usage) {
        switch literal.kind {
        case .variable(let name): usage.variables.append((name, nil, literal.location))
        case .list(let literals): for literal in literals { noteVariables(in: literal, &usage) }
        case .object(let members): for member in members { noteVariables(in: member.value, &usage) }
        case .constant, .enumeration: return
        }
    }

    /// - Parameter reached: the fragments that any operation spreads.
    mutating func checkVariables(
        of operation: GraphQLOperation, _ own: Usage, _ usages: [String: Usage], _ reached: inout Set<String>
    ) {
        var used = own.variables
        var waiting = own.spreads
        var seen: Set<String> = []
        while let name = waiting.popLast() {
            guard seen.insert(name).inserted, let usage = usages[name] else { continue }
            used += usage.variables
            waiting += usage.spreads
        }
        reached.formUnion(seen)
        let place = operation.name.map { " by operation \"\($0)\"" } ?? ""
        var defined: [String: GraphQLVariableDefinition] = [:]
        for definition in operation.variables {
            if defined.updateValue(definition, forKey: definition.name) != nil {
                report("There can be only one variable named \"$\(definition.name)\".", at: definition.location)
            }
            checkDefinition(definition)
            if !used.contains(where: { $0.name == definition.name }) {
                let place = operation.name.map { " in operation \"\($0)\"" } ?? ""
                report("Variable \"$\(definition.name)\" is never used\(place).", at: definition.location)
            }
        }
        for (name, expected, location) in used {
            guard let definition = defined[name] else {
                report("Variable \"$\(name)\" is not defined\(place).", at: location)
                continue
            }
            if let expected, schema.isInput(definition.type.name), !Self.allows(definition, in: expected) {
                report(
                    "Variable \"$\(name)\" of type \"\(definition.type)\" used in position expecting type "
                        + "\"\(expected.type)\".", at: location)
            }
        }
    }

    private mutating func checkDefinition(_ definition: GraphQLVariableDefinition) {
        let type = definition.type.name
        guard schema.isInput(type) else {
            report(
                schema[type] == nil
                    ? "Unknown type \"\(type)\"."
                    : "Variable \"$\(definition.name)\" cannot be non-input type \"\(definition.type)\".",
                at: definition.location)
            return
        }
        guard let literal = definition.defaultValue else { return }
        var usage = Usage()
        let value = GraphQLSchema.InputValue(name: definition.name, type: definition.type, defaultValue: nil)
        check(literal, of: value, type: definition.type, &usage)
    }

    private static func allows(_ definition: GraphQLVariableDefinition, in position: GraphQLSchema.InputValue) -> Bool {
        if case .nonNull(let inner) = position.type, !definition.type.isNonNull {
            var hasDefault = position.defaultValue != nil
            if let literal = definition.defaultValue {
                if case .constant(.null) = literal.kind {} else { hasDefault = true }
            }
            return hasDefault && isSubtype(definition.type, of: inner)
        }
        return isSubtype(definition.type, of: position.type)
    }

    private static func isSubtype(_ type: GraphQLTypeReference, of other: GraphQLTypeReference) -> Bool {
        switch (type, other) {
        case (.nonNull(let type), .nonNull(let other)): isSubtype(type, of: other)
        case (.nonNull(let type), _): isSubtype(type, of: other)
        case (_, .nonNull): false
        case (.list(let type), .list(let other)): isSubtype(type, of: other)
        case (.named(let name), .named(let other)): name == other
        default: false
        }
    }
}

extension String {
    fileprivate var droppingPeriod: String { hasSuffix(".") ? String(dropLast()) : self }
}
