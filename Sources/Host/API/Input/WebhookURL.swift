/// Checks the form of a client's webhook URL. Whether its address may be reached is decided when it is called.
enum WebhookURL {
    /// What is wrong with it, as a sentence; nil where nothing is.
    static func fault(_ url: String) -> String? {
        guard url.utf8.count <= 2_048 else { return "A webhook URL may have 2048 bytes at most." }
        guard url.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            return "A webhook URL must be printable ASCII without spaces; percent-encode the rest."
        }
        let lowered = url.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lowered.hasPrefix) else {
            return "A webhook URL must begin with https:// or http://."
        }
        let authority = url.dropFirst(scheme.count).prefix { !"/?#\\".contains($0) }
        guard !authority.contains("@") else {
            return "A webhook URL must not carry a user name or password."
        }
        guard let host = authority.split(separator: ":", omittingEmptySubsequences: false).first, !host.isEmpty else {
            return "A webhook URL must name a host."
        }
        return nil
    }
}
