import PluginKit

/// The application a call is about, as every operation's input names it.
struct Application: Sendable, Hashable {
    /// The execution's id.
    let id: String
    /// `^[a-z][a-z0-9-]{0,39}$`
    let name: String
    let environment: String

    /// - Throws: `PluginError` of code `invalid` that names the member.
    init(_ input: JSON) throws(PluginError) {
        id = try Self.text("id", in: input) { text in
            text.utf8.count == 36 && text.utf8.allSatisfy { Self.isHexadecimal($0) || $0 == UInt8(ascii: "-") }
        }
        name = try Self.text("name", in: input) { text in
            text.utf8.count <= 40 && text.utf8.first.map(Self.isLetter) == true
                && text.utf8.allSatisfy { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "-") }
        }
        environment = try Self.text("environment", in: input) { !$0.isEmpty && $0.utf8.count <= 100 }
    }

    /// The one project that holds everything made for the execution. The id makes it unlike any other's, so whatever
    /// carries this name is ours.
    var projectName: String { "\(name)-\(id.filter { $0 != "-" }.suffix(12))" }

    private static func text(
        _ member: String, in input: JSON, where isValid: (String) -> Bool
    ) throws(PluginError) -> String {
        guard let text = input["application"]?[member]?.stringValue, isValid(text) else {
            throw PluginError(.invalid, "application.\(member) is missing or malformed")
        }
        return text
    }

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }
}
