import ArgumentParser
import Domain
import Engine
import Metering

extension TemplateCommand {
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what a run of a template would do, in which order, and what it would probably cost.",
            discussion: """
                Nothing is run and nothing is written. Values are given as a client would give them; of an array the
                elements are separated by commas.

                Examples:
                  aibackend template plan templates/market-brief.yaml --set product_name=Tide \\
                      --set audience="harbour masters"
                  aibackend template plan templates/saas-starter.yaml --set app_name=Tide \\
                      --set features=user_authentication,admin_dashboard
                """)

        @OptionGroup var options: SettingsOptions

        @Option(help: "Folder of plugins to check providers against.")
        var plugins: String?

        @Option(name: .customLong("set"), help: "An input as key=value; may be given again.")
        var values: [String] = []

        @Argument(help: "Template file, YAML or JSON.")
        var file: String

        func run() async throws {
            try await reportingFailures {
                let settings = try options.load(with: ["plugins_dir": plugins])
                let prices = try Prices.load(settings)
                let logger = Console.logger(settings.logLevel)
                let text: String? = try await Plugins.withLoaded(settings, standsIn: true, logger: logger) {
                    for refusal in $1 { Console.error("\(refusal)") }
                    let dispatch = Core.described(over: $0, settings)
                    do throws(Diagnostics) {
                        return try plan(dispatch, prices)
                    } catch {
                        Console.error(error.description)
                        return nil
                    }
                }
                guard let text else { throw ExitCode(1) }
                Console.line(text)
            }
        }

        private func plan(_ dispatch: any Dispatch, _ prices: PriceTable) throws(Diagnostics) -> String {
            let template = try Templates.compile(file, with: TemplateCompiler(dispatch: dispatch))
            let given = try TemplateInputs.read(values, for: template.inputs)
            let configuration = try ConfigurationValidator.validate(given, against: template.inputs)
            let estimate = try RunEstimate(
                of: template, configuration: configuration, dispatch: dispatch, pricing: prices,
                at: SystemWallClock().now())
            return PlanText.text(of: estimate, template: template)
        }
    }
}

/// Reads `key=value` as values of the types that a template's inputs have.
enum TemplateInputs {
    static func read(_ values: [String], for inputs: [InputDeclaration]) throws(Diagnostics) -> JSON {
        var object = JSONObject()
        var faults: [Diagnostic] = []
        for value in values {
            guard let mark = value.firstIndex(of: "=") else {
                faults.append(
                    Diagnostic(
                        code: "invalid_option", message: "--set takes key=value, not \"\(value)\"",
                        pointer: ""))
                continue
            }
            let key = String(value[..<mark])
            let text = String(value[value.index(after: mark)...])
            object[key] = json(text, inputs.first { $0.key == key }?.kind)
        }
        guard faults.isEmpty else { throw Diagnostics(faults) }
        return .object(object)
    }

    /// What does not read as the input's type is left as text: the validator says it best.
    private static func json(_ text: String, _ kind: InputDeclaration.Kind?) -> JSON {
        switch kind {
        case .string, nil: return .string(text)
        case .array where !text.hasPrefix("["):
            return .array(text.split(separator: ",").map { .string(String($0)) })
        case .array, .object, .integer, .number, .boolean: return (try? JSON.parse(text)) ?? .string(text)
        }
    }
}
