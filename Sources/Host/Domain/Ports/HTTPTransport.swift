/// One HTTP request to the outside world, before egress check and secrets.
public struct OutboundRequest: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Sent piece by piece through `HTTPTransfer.write`; chunked where `length` is nil.
        case stream(length: Int64?)
    }

    /// What a body of bytes may hold, also once its secrets are filled in.
    public static let maximumBodyBytes = 64 << 20

    public struct Header: Sendable, Hashable {
        public let name: String
        public let value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var method: String
    public var url: String
    /// A value may contain `{{secret:NAME}}`, filled in after the egress check.
    public var headers: [Header]
    public var body: Body
    /// Whether `{{secret:NAME}}` in a body of bytes is filled in too, for secrets whose uses have `body`: the value as it
    /// stands inside a JSON string. Any other mark stays as it is, for a body carries what others wrote.
    public var fillsSecretsInBody = false
    /// Bounds the whole transfer.
    public var timeout: Duration
    public var egress: EgressPolicy
    public var secrets: SecretScope

    public init(
        method: String, url: String, headers: [Header] = [], body: Body = .none, timeout: Duration,
        egress: EgressPolicy, secrets: SecretScope = .none
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.egress = egress
        self.secrets = secrets
    }
}

/// Where a request may go. For a plugin instance: the hosts of its manifest, by https only, and the base URLs its
/// operator configured, exactly. For a webhook, whose address a client chose: anywhere that is public.
public struct EgressPolicy: Sendable, Hashable {
    /// What is allowed beside what `hosts` and `origins` name. Secrets go to what is named alone.
    public enum Reach: Sendable, Hashable {
        case listed
        /// Every http and https URL whose connection goes to a public unicast address. The address that is connected
        /// to is what counts, whatever a name resolved to before. Through a proxy, which resolves names by itself,
        /// literal addresses and names of private use are refused, and the rest is the proxy's to refuse.
        case anyPublic
        /// Every http and https URL, private addresses too: for an operator whose clients may reach them.
        case any
    }

    /// Host names; a leading `*.` stands for one or more labels.
    public var hosts: [String]
    /// Origins (`http://127.0.0.1:9000`) the operator allowed by name, scheme and port included.
    public var origins: [String]
    public var reach: Reach

    public init(hosts: [String] = [], origins: [String] = [], reach: Reach = .listed) {
        self.hosts = hosts
        self.origins = origins
        self.reach = reach
    }

    /// Whether one of `hosts` stands for this name, which is in lower case.
    public func covers(host: String) -> Bool {
        hosts.contains { pattern in
            let pattern = pattern.lowercased()
            guard pattern.hasPrefix("*.") else { return pattern == host }
            let suffix = pattern.dropFirst()
            return suffix.utf8.count > 1 && host.utf8.count > suffix.utf8.count && host.hasSuffix(suffix)
        }
    }
}

/// The secrets one plugin instance may have filled in, each bound to its uses and its hosts. Values leave this type
/// only through `value(of:for:)`; its description names no value.
public struct SecretScope: Sendable, CustomStringConvertible {
    public enum Use: Sendable, Hashable {
        /// In the value of a header.
        case http
        case hmac
        /// In a body that asks for it.
        case body
    }

    public struct Secret: Sendable {
        fileprivate let value: String
        fileprivate let uses: Set<Use>
        fileprivate var hosts: [String]?
        /// - Parameter hosts: where it may be sent by https, like `EgressPolicy.hosts`; all of those where it is nil.
        public init(_ value: String, uses: Set<Use> = [.http], hosts: [String]? = nil) {
            self.value = value
            self.uses = uses
            self.hosts = hosts
        }
    }

    public static let none = SecretScope([:])
    private var secrets: [String: Secret]

    public init(_ secrets: [String: Secret]) { self.secrets = secrets }

    public func value(of name: String, for use: Use) -> String? {
        guard let secret = secrets[name], secret.uses.contains(use) else { return nil }
        return secret.value
    }

    /// Where the secret may be sent, out of what the policy allows: its own hosts, and the origins that the operator
    /// chose.
    public func egress(of name: String, within policy: EgressPolicy) -> EgressPolicy {
        EgressPolicy(hosts: secrets[name]?.hosts ?? policy.hosts, origins: policy.origins)
    }

    /// The same secrets, the named ones bound to these hosts.
    public func binding(_ hosts: [String: [String]]) -> SecretScope {
        var scope = self
        for (name, hosts) in hosts { scope.secrets[name]?.hosts = hosts }
        return scope
    }

    /// The same secrets and those of one call, which may stand in headers and bodies wherever its plugin may send
    /// them. A name that is taken keeps its secret.
    public func adding(_ values: [String: String]) -> SecretScope {
        var scope = self
        scope.secrets.merge(values.mapValues { Secret($0, uses: [.http, .body]) }) { own, _ in own }
        return scope
    }

    /// Every value, for scrubbing what comes back. One that may stand in a body is here also as JSON writes it, with
    /// `/` escaped and not: a peer that echoes the body would hide it so.
    public var allValues: [String] {
        secrets.values.filter { !$0.value.isEmpty }.flatMap { secret -> [String] in
            guard secret.uses.contains(.body) else { return [secret.value] }
            let escaped = String(JSON.string(secret.value).text.dropFirst().dropLast())
            return [secret.value, escaped, escaped.replacing("/", with: "\\/")]
        }
    }
    public var names: [String] { secrets.keys.sorted() }
    public var description: String { "SecretScope(\(names.joined(separator: ", ")))" }
}

/// What happens to a transfer, in order: one head, any data, then end or failure; or failure alone.
public enum HTTPEvent: Sendable {
    /// `version` is `1.1` or `2`.
    case head(status: Int, headers: [OutboundRequest.Header], version: String)
    case data([UInt8])
    case end
    /// The stream's window has room again after `write` returned false.
    case writable
    case failed(ProviderError)
}

/// A transfer in flight. All methods may be called from any thread, never block, and do nothing once it is over.
public protocol HTTPTransfer: AnyObject, Sendable {
    /// Begins it; to be called once. What the other methods were told before holds from its first byte.
    func begin()
    /// Stops reading from the peer; what has arrived already may still be delivered.
    func pause()
    func resume()
    /// Hands over a piece of a streamed body; false when the window is full: nothing was taken, wait for
    /// `.writable`.
    func write(_ bytes: [UInt8]) -> Bool
    /// Ends a streamed body.
    func finishBody()
    /// Ends the transfer. No event follows.
    func cancel()
}

/// The port to outbound HTTP. Redirects are not followed.
public protocol HTTPTransport: Sendable {
    /// Makes a transfer that has not begun: for who must be able to pause it before its first event. A refusal (egress,
    /// secret, malformed URL) arrives as `.failed`, like any other failure, once it has begun.
    ///
    /// - Parameter onEvent: called on the transport's own thread, never concurrently for one transfer, possibly before
    ///   `begin` returns, never from within another method of the transfer. It must not block.
    func prepare(_ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void) -> any HTTPTransfer
}

extension HTTPTransport {
    /// Prepares a transfer and begins it; events may come before this function returns.
    public func start(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        let transfer = prepare(request, onEvent: onEvent)
        transfer.begin()
        return transfer
    }
}
