import Domain
import Hummingbird

/// Takes the parameters of a query one by one and collects everything that is wrong with them.
struct QueryReader {
    private let parameters: [(key: Substring, value: Substring)]
    private var known: [String] = []
    private var errors: [InputError] = []

    init(_ request: Request) {
        // Most requests have no query: spare them the parsing.
        parameters = request.uri.query == nil ? [] : Array(request.uri.queryParameters)
    }

    mutating func text(_ name: String) -> String? {
        let values = parameters.filter { $0.key == name[...] }
        let isFirst = !known.contains(name)
        if isFirst { known.append(name) }
        if isFirst, values.count > 1 { refuse(name, "repeated", "\"\(name)\" is given more than once.") }
        return values.first.map { String($0.value) }
    }

    /// A whole number in `range`, or `fallback` where there is none.
    mutating func integer(_ name: String, in range: ClosedRange<Int64>, default fallback: Int64) -> Int64 {
        guard let text = text(name) else { return fallback }
        if let value = Int64(text), range.contains(value), text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) { return value }
        let allowed =
            range.upperBound == .max
            ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
        refuse(name, "out_of_range", "\"\(text.clipped)\" is not a whole number \(allowed).")
        return fallback
    }

    /// One of an enumeration's values.
    mutating func choice<Choice>(_ name: String, of type: Choice.Type) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        guard let text = text(name) else { return nil }
        if let value = Choice(rawValue: text) { return value }
        let allowed = Choice.allCases.map(\.rawValue)
        refuse(
            name, "not_allowed", "\"\(text.clipped)\" is not allowed; allowed: \(allowed.joined(separator: ", ")).",
            suggestion: Spelling.nearest(to: text, among: allowed))
        return nil
    }

    mutating func refuse(_ name: String, _ code: String, _ detail: String, suggestion: String? = nil) {
        errors.append(InputError(place: .parameter(name), code: code, detail: detail, suggestion: suggestion))
    }

    /// Refuses parameters that no call asked for, and throws if anything was wrong.
    mutating func finish() throws(Problem) {
        for (name, _) in parameters where !known.contains(where: { $0[...] == name }) {
            guard errors.count < Problem.maximumErrors else { break }
            let allowed = known.isEmpty ? "this endpoint takes none" : "allowed: \(known.joined(separator: ", "))"
            refuse(
                name.clipped, "unknown_parameter", "\"\(name.clipped)\" is not a parameter here; \(allowed).",
                suggestion: Spelling.nearest(to: String(name), among: known))
        }
        guard errors.isEmpty else {
            let count = errors.count == 1 ? "One parameter is" : "\(errors.count) parameters are"
            throw Problem(.invalidParameter, "\(count) not acceptable; see errors.", errors: errors)
        }
    }
}
