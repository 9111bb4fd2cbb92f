import Domain
import Sandbox

/// Where the program's own files are: beside it in a build, under `share/aibackend` in an installation.
enum Installation {
    private static var folder: String {
        File.program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// The folders searched for plugins, that is, for libraries with their manifest beside them (`lib<Name>.so`,
    /// `lib<Name>.plugin.json`): the first that has any.
    static var pluginFolders: [String] { [folder + "/../lib/aibackend/plugins", folder] }

    /// The folders searched for the templates that ship with the program. In a build tree the checkout's own.
    static var templateFolders: [String] {
        ["/../share/aibackend/templates", "/../../templates", "/../../../templates"].map { folder + $0 }
    }

    /// What confines and starts an application of the sandbox.
    static var applicationRunner: String {
        [folder + "/../libexec/aibackend", folder].map { $0 + "/aibackend-app-runner" }.first(where: File.isExecutable)
            ?? folder + "/aibackend-app-runner"
    }

    static func plugins(in directory: String?) throws(StartFailure) -> [String] {
        if let directory {
            guard let names = File.names(in: directory) else {
                throw StartFailure("the plugin directory \(directory) cannot be read; check plugins_dir")
            }
            return names.filter { $0.hasSuffix(".so") }.map { directory + "/" + $0 }
        }
        for folder in pluginFolders {
            let names = Set(File.names(in: folder) ?? [])
            let found = names.filter { name in
                name.hasSuffix(".so") && names.contains(name.dropLast(3) + ".plugin.json")
            }
            if !found.isEmpty { return found.sorted().map { folder + "/" + $0 } }
        }
        return []
    }

    /// Every template file of a directory, and the categories file if it has one.
    static func templates(
        in directory: String?
    ) throws(StartFailure) -> (files: [String], categories: String?) {
        guard let directory = directory ?? templateFolders.first(where: File.isDirectory) else {
            throw StartFailure("no templates directory found; name one with --templates")
        }
        guard let names = File.names(in: directory) else {
            throw StartFailure("the templates directory \(directory) cannot be read; check --templates")
        }
        let files = names.filter { name in
            name != "categories.json" && [".json", ".yaml", ".yml"].contains { name.hasSuffix($0) }
        }
        return (
            files.map { directory + "/" + $0 },
            names.contains("categories.json") ? directory + "/categories.json" : nil
        )
    }

    /// What the sandbox answers to the prompts of the templates that ship with the program.
    static func answers() throws -> AnswerFixtures {
        guard let folder = templateFolders.first(where: File.isDirectory).map({ $0 + "/answers" }),
            File.isDirectory(folder)
        else { return AnswerFixtures() }
        do { return try AnswerFixtures(directory: folder) } catch {
            throw StartFailure("\(folder): \(error)")
        }
    }
}
