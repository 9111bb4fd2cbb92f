import Domain
import Glibc

/// How an application is started: as its deployer says, or as its files do. Blocks for a look at them.
struct ApplicationStart: Equatable {
    static let python = "/usr/bin/python3"
    private static let nodes = ["/usr/local/bin/node", "/usr/bin/node"]
    private static let pythonFiles = ["main.py", "app.py", "server.py"]

    let arguments: [String]
    /// For the build's log.
    let reason: String

    /// - Parameters:
    ///   - directory: where the files are.
    ///   - log: hears of what was passed over.
    /// - Throws: of phase `build`, with what was looked for.
    static func find(
        in directory: String, command: String?, port: Int, log: (String) -> Void
    ) throws(ApplicationFailure) -> ApplicationStart {
        if ApplicationFile.isFile(directory + "/requirements.txt") {
            log("requirements.txt: packages come from this system; nothing is installed")
        }
        if let command, !command.allSatisfy(\.isWhitespace) { return shell(command, "the start command") }
        if let command = procfileCommand(directory) { return shell(command, "the Procfile's web process") }
        if let command = packageCommand(directory) {
            // As npm does it.
            let path = "PATH=\"$PWD/node_modules/.bin:$PATH\"; export PATH; "
            if hasNode { return shell(path + command, "package.json's start script") }
            log("package.json has a start script, but node is not installed here")
        }
        for file in pythonFiles where ApplicationFile.isFile("\(directory)/\(file)") {
            return try runningPython([file], "\(file) with python3")
        }
        if ApplicationFile.isFile(directory + "/index.html") {
            return try runningPython(
                ["-m", "http.server", "--bind", "127.0.0.1", String(port)], "index.html and the files beside it")
        }
        throw ApplicationFailure(
            .build,
            "it is not clear how to start it: there is no start command, no Procfile with a web process, no "
                + "package.json with a start script\(hasNode ? "" : " (and no node)"), no "
                + pythonFiles.joined(separator: ", no ") + " and no index.html")
    }

    private static var hasNode: Bool { nodes.contains { unsafe access($0, X_OK) == 0 } }

    private static func shell(_ command: String, _ reason: String) -> ApplicationStart {
        ApplicationStart(arguments: ["/bin/sh", "-c", command], reason: reason)
    }

    private static func runningPython(
        _ arguments: [String], _ reason: String
    ) throws(ApplicationFailure) -> ApplicationStart {
        guard unsafe access(python, X_OK) == 0 else {
            throw ApplicationFailure(.build, "it needs python3, and \(python) is not installed")
        }
        return ApplicationStart(arguments: [python] + arguments, reason: reason)
    }

    private static func procfileCommand(_ directory: String) -> String? {
        guard let text = ApplicationFile.text(directory + "/Procfile") else { return nil }
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("web:") {
            let command = line.dropFirst("web:".count).drop(while: \.isWhitespace)
            if !command.isEmpty { return String(command) }
        }
        return nil
    }

    private static func packageCommand(_ directory: String) -> String? {
        guard let text = ApplicationFile.text(directory + "/package.json"), let package = try? JSON.parse(text),
            let command = package["scripts"]?["start"]?.stringValue, !command.isEmpty
        else { return nil }
        return command
    }
}
