import Crypto
import Domain
import Logging
import PluginABI

extension ServiceTables {
    static let hmac = unsafe Table(
        aib_svc_hmac(
            struct_size: UInt32(MemoryLayout<aib_svc_hmac>.size), reserved: 0,
            sha256: { context, call, secret, data, user in
                guard let instance = unsafe PluginInstance.at(context), let secret = unsafe secret.text(upTo: 256),
                    let data = unsafe data.copy(upTo: PluginInstance.maximumBlobBytes)
                else { return aib_status(AIB_E_INVALID) }
                guard instance.secrets.value(of: secret, for: .hmac) != nil else { return aib_status(AIB_E_DENIED) }
                return aib_status(instance.request(.hmac(secret: secret, data: data), call, user))
            }))

    static let blob = unsafe Table(
        aib_svc_blob(
            struct_size: UInt32(MemoryLayout<aib_svc_blob>.size), reserved: 0,
            put: { context, call, bytes, user in
                guard let instance = unsafe PluginInstance.at(context) else { return aib_status(AIB_E_INVALID) }
                guard let bytes = unsafe bytes.copy(upTo: PluginInstance.maximumBlobBytes) else {
                    return aib_status(AIB_E_LIMIT)
                }
                return aib_status(instance.request(.putBlob(bytes), call, user))
            },
            get: { context, call, digest, offset, length, user in
                guard let instance = unsafe PluginInstance.at(context), let digest = unsafe digest.text(upTo: 64),
                    PluginInstance.isDigest(digest)
                else { return aib_status(AIB_E_INVALID) }
                return aib_status(
                    instance.request(.getBlob(digest: digest, offset: offset, length: length), call, user))
            }))
}

extension PluginInstance {
    /// What the blob service keeps at once, and what the hmac service signs.
    static let maximumBlobBytes = 16 << 20

    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }
    }

    /// Queues work for the call's own task.
    func request(_ work: ServiceRequest.Work, _ callID: aib_id, _ user: UInt64) -> Int {
        guard let call = call(callID) else { return AIB_E_STALE }
        let request = ServiceRequest(id: newID(), user: user, work: work)
        add(.request, request.id)
        var status = call.adopt(request.id)
        if status == AIB_OK {
            status = call.request(request)
            if status != AIB_OK { call.release(request.id) }
        }
        if status != AIB_OK { _ = remove(request.id) }
        return status
    }

    /// Does what the call's plugin asks for, one piece after the other, until the call is over.
    func serve(_ call: HostedCall) async {
        defer { call.served() }
        while let request = await call.nextRequest() {
            let reply: Result<(EventKind, [UInt8]), ProviderError>
            switch request.work {
            case .hmac(let secret, let data): reply = hmac(secret, data)
            case .putBlob(let bytes): reply = await put(bytes)
            case .getBlob(let digest, let offset, let length):
                reply = await blob(digest).map { bytes in
                    let start = Int(min(offset, UInt64(bytes.count)))
                    let end = start + Int(min(length, UInt64(bytes.count - start)))
                    return (.blob, Array(bytes[start..<end]))
                }
            case .sendBlob(let digest, let transfer):
                transfer.start(body: await blob(digest))
                call.release(request.id)
                _ = remove(request.id)
                continue
            }
            let isDue: @Sendable () -> Bool = {
                call.release(request.id)
                return self.remove(request.id) != nil
            }
            switch reply {
            case .success(let (kind, bytes)):
                deliver(kind, to: call, user: request.user, handle: 0, bytes, if: isDue)
            case .failure(let error): deliverFailure(error, to: call, user: request.user, handle: 0, if: isDue)
            }
        }
    }

    private func hmac(_ secret: String, _ data: [UInt8]) -> Result<(EventKind, [UInt8]), ProviderError> {
        guard let value = secrets.value(of: secret, for: .hmac) else {
            return .failure(ProviderError(.denied, "the secret \(secret) is not bound to hmac"))
        }
        let code = HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: Array(value.utf8)))
        return .success((.hmac, Array(code)))
    }

    private func put(_ bytes: [UInt8]) async -> Result<(EventKind, [UInt8]), ProviderError> {
        do {
            return .success((.blob, Array(try await environment.blobs.put(bytes).utf8)))
        } catch {
            logger.error("a blob was not kept", metadata: ["error": "\(error)"])
            return .failure(ProviderError(.internal, "the host could not keep the blob", isRetryable: true))
        }
    }

    private func blob(_ digest: String) async -> Result<[UInt8], ProviderError> {
        do {
            guard let bytes = try await environment.blobs.get(digest) else {
                return .failure(ProviderError(.invalid, "there is no blob \(digest)"))
            }
            return .success(bytes)
        } catch {
            logger.error("a blob was not read", metadata: ["error": "\(error)", "digest": "\(digest)"])
            return .failure(ProviderError(.internal, "the host could not read the blob", isRetryable: true))
        }
    }
}
