import PluginKit

/// A custom domain's name, in lower case.
struct DomainName: Sendable, Hashable {
    let text: String

    /// - Throws: `PluginError` of code `invalid`.
    init(parameters input: JSON) throws(PluginError) {
        guard let given = input["parameters"]?["domain"]?.stringValue else {
            throw PluginError(.invalid, "parameters.domain must be a string")
        }
        let name = given.hasSuffix(".") ? String(given.dropLast()).lowercased() : given.lowercased()
        guard name.contains("."), name.utf8.count <= 253, Self.isHost(name) else {
            throw PluginError(
                .invalid,
                "parameters.domain must be a domain name such as app.example.com, not \"\(given.prefix(80))\"")
        }
        text = name
    }

    /// Whether the text consists of labels of letters, digits and inner dashes.
    static func isHost(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            1...63 ~= label.utf8.count && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                        || $0 == UInt8(ascii: "-")
                }
        }
    }
}
