import Crypto
public import Domain

/// Signs events as Standard Webhooks says. Each execution has a signing secret of its own, which is derived from the
/// server's key: nothing is stored, and the key of one receiver says nothing about another's.
public struct WebhookSigner: Sendable, CustomStringConvertible {
    private let serverKey: SymmetricKey

    /// - Parameter serverKey: of at least 32 random bytes; with another one every receiver's secret is another.
    public init(serverKey: [UInt8]) { self.serverKey = SymmetricKey(data: serverKey) }

    /// Names no key.
    public var description: String { "WebhookSigner" }

    /// The secret with which a receiver checks an execution's events: `whsec_` and 32 bytes in base64.
    public func secret(of execution: UUIDv7) -> String { "whsec_" + Base64.encode(key(of: execution)) }

    /// The value of `webhook-signature`.
    ///
    /// - Parameters:
    ///   - id: of the event, the value of `webhook-id`.
    ///   - timestamp: in seconds since 1970, the value of `webhook-timestamp`.
    func signature(_ id: String, timestamp: Int64, body: [UInt8], of execution: UUIDv7) -> String {
        let signed = Array("\(id).\(timestamp).".utf8) + body
        let key = SymmetricKey(data: key(of: execution))
        return "v1," + Base64.encode(Array(HMAC<SHA256>.authenticationCode(for: signed, using: key)))
    }

    private func key(of execution: UUIDv7) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("webhook/\(execution)".utf8), using: serverKey))
    }
}
