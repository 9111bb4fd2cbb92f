import Domain

/// Turns what a client gave into the values that a service reads: variables and literals, by their types.
struct GraphQLInput: Sendable {
    let schema: GraphQLSchema

    /// The values of an operation's variables, with their defaults; a variable that was not given is absent.
    func variables(
        _ definitions: [GraphQLVariableDefinition], given: JSONObject
    ) throws(GraphQLError) -> JSONObject {
        var values = JSONObject()
        for definition in definitions {
            if let value = given[definition.name], !(value.isNull && definition.type.isNonNull) {
                var trail = ""
                if let problem = problem(value, of: definition.type, trail: &trail) {
                    // Which value it is, but never the value: it may be a secret.
                    let place = trail.isEmpty ? "" : " at \"\(definition.name)\(trail)\""
                    throw GraphQLError(
                        "Variable \"$\(definition.name)\" got invalid value\(place); \(problem)", .badUserInput,
                        at: definition.location)
                }
                values[definition.name] = coerced(value, to: definition.type)
            } else if let literal = definition.defaultValue {
                values[definition.name] = self.value(of: literal, type: definition.type, variables: values)
            } else if definition.type.isNonNull {
                let isNull = given[definition.name] != nil
                throw GraphQLError(
                    "Variable \"$\(definition.name)\" of \(isNull ? "non-null" : "required") type "
                        + "\"\(definition.type)\" \(isNull ? "must not be null" : "was not provided").",
                    .badUserInput, at: definition.location)
            }
        }
        return values
    }

    /// The arguments of a field, with their defaults; nil for one that stands for an absent variable.
    func arguments(
        _ given: [GraphQLArgument], of definitions: [GraphQLSchema.InputValue], variables: JSONObject
    ) -> JSONObject {
        var values = JSONObject()
        for definition in definitions {
            let literal = given.first { $0.name == definition.name }?.value
            if let value = literal.flatMap({ value(of: $0, type: definition.type, variables: variables) }) {
                values[definition.name] = value
            } else if let literal = definition.defaultValue {
                values[definition.name] = value(of: literal, type: definition.type, variables: variables)
            }
        }
        return values
    }

    /// A literal that was validated, as a value; nil for an absent variable.
    private func value(of literal: GraphQLLiteral, type: GraphQLTypeReference, variables: JSONObject) -> JSON? {
        switch literal.kind {
        case .variable(let name): return variables[name]
        case .constant(let value): return value.isNull ? value : coerced(value, to: type)
        case .enumeration(let name): return coerced(.string(name), to: type)
        case .list(let literals):
            var element = type.nullable
            if case .list(let type) = element { element = type }
            return .array(literals.map { value(of: $0, type: element, variables: variables) ?? .null })
        case .object(let members):
            var object = JSONObject()
            guard case .input(let definitions)? = schema[type.name] else {
                for member in members {
                    object[member.name] = value(of: member.value, type: type, variables: variables)
                }
                return .object(object)
            }
            return .object(arguments(members, of: definitions, variables: variables))
        }
    }

    /// A good value in its final form: a single value in a list's place is a list, defaults of members are filled in.
    private func coerced(_ value: JSON, to type: GraphQLTypeReference) -> JSON {
        switch (type.nullable, value) {
        case (_, .null): return value
        case (.list(let element), .array(let values)): return .array(values.map { coerced($0, to: element) })
        case (.list(let element), _): return .array([coerced(value, to: element)])
        case (.named("ID"), .integer(let number)): return .string(String(number))
        case (.named(let name), .object(let given)):
            guard case .input(let definitions)? = schema[name] else { return value }
            var object = JSONObject()
            for definition in definitions {
                if let value = given[definition.name] {
                    object[definition.name] = coerced(value, to: definition.type)
                } else if let literal = definition.defaultValue {
                    object[definition.name] = self.value(of: literal, type: definition.type, variables: JSONObject())
                }
            }
            return .object(object)
        default: return value
        }
    }

    /// What is wrong with a value for a type, in words that do not repeat it; nil where it fits.
    ///
    /// - Parameter trail: grows by the members and positions that lead to the wrong value.
    func problem(_ value: JSON, of type: GraphQLTypeReference, trail: inout String) -> String? {
        switch (type, value) {
        case (.nonNull, .null): return "Expected non-nullable type \"\(type)\" not to be null."
        case (.nonNull(let inner), _): return problem(value, of: inner, trail: &trail)
        case (_, .null): return nil
        case (.list(let element), .array(let values)):
            for (index, value) in values.enumerated() {
                var inner = trail + "[\(index)]"
                if let problem = problem(value, of: element, trail: &inner) {
                    trail = inner
                    return problem
                }
            }
            return nil
        case (.list(let element), _): return problem(value, of: element, trail: &trail)
        case (.named(let name), _): return problem(value, ofNamed: name, trail: &trail)
        }
    }

    private func problem(_ value: JSON, ofNamed name: String, trail: inout String) -> String? {
        switch schema[name] {
        case .scalar: return scalarProblem(value, name)
        case .enumeration(let names):
            guard let word = value.stringValue else { return "Enum \"\(name)\" cannot represent non-string value." }
            return names.contains(word) ? nil : "Value does not exist in \"\(name)\" enum."
        case .input(let definitions):
            guard let object = value.objectValue else { return "Expected type \"\(name)\" to be an object." }
            for definition in definitions {
                guard let member = object[definition.name] else {
                    guard definition.isRequired else { continue }
                    return "Field \"\(definition.name)\" of required type \"\(definition.type)\" was not provided."
                }
                var inner = trail + ".\(definition.name)"
                if let problem = problem(member, of: definition.type, trail: &inner) {
                    trail = inner
                    return problem
                }
            }
            let known = Set(definitions.map(\.name))
            return object.keys.first { !known.contains($0) }
                .map { "Field \"\($0)\" is not defined by type \"\(name)\"." }
        case .object, nil: return "Type \"\(name)\" is no input type."
        }
    }

    func scalarProblem(_ value: JSON, _ name: String) -> String? {
        switch (name, value) {
        case ("String", .string), ("ID", .string), ("ID", .integer), ("Boolean", .bool), ("Float", .integer),
            ("Float", .decimal):
            return nil
        case ("Int", .integer(let number)) where Int32(exactly: number) != nil: return nil
        case ("Int", .integer): return "Int cannot represent non 32-bit signed integer value."
        case ("Int", _): return "Int cannot represent non-integer value."
        case ("String", _): return "String cannot represent a non string value."
        case ("Boolean", _): return "Boolean cannot represent a non boolean value."
        case ("Float", _): return "Float cannot represent non numeric value."
        case ("ID", _): return "ID cannot represent value of type \(value.typeName)."
        default: return schema.scalarChecks[name]?(value)
        }
    }
}
