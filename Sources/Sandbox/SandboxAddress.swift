/// Where a sandbox listens.
public struct SandboxAddress: Sendable, Hashable {
    public let host: String
    public let port: Int

    /// The origin of everything the sandbox serves, and of its control endpoints: no trailing slash.
    public var baseURL: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
    /// What to configure as Anthropic's base URL.
    public var anthropicBaseURL: String { baseURL + "/anthropic" }
    /// What to configure as OpenAI's base URL.
    public var openAIBaseURL: String { baseURL + "/openai" }
    /// What to configure as Railway's base URL.
    public var railwayBaseURL: String { baseURL + "/railway" }
    public var ledgerURL: String { baseURL + "/ledger" }
    public var faultsURL: String { baseURL + "/faults" }
    public var gatesURL: String { baseURL + "/gates" }
}

/// A host name that cannot lead off this machine.
struct LoopbackAddress {
    let host: String

    init(_ host: String, port: Int) throws(SandboxError) {
        guard (0...65_535).contains(port) else { throw .portOutOfRange(port) }
        // A name is resolved by whatever the machine is configured with: only the literal is certain.
        let literal = host == "localhost" ? "127.0.0.1" : host
        let octets = literal.split(separator: ".", omittingEmptySubsequences: false)
        let isIPv4 =
            octets.count == 4 && octets[0] == "127"
            && octets.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isNumber) }
        guard isIPv4 || literal == "::1" else { throw .addressNotLoopback(host) }
        self.host = literal
    }
}
