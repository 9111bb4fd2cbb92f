internal import PluginABI

extension Call {
    /// Suspends for at least so long.
    public func sleep(milliseconds: UInt64) async throws {
        let timer = try unsafe active.host.service(active.host.timer, "the timer service")
        let handle = HandleBox()
        _ = try await active.reply(to: "a timer") { user in
            var id: aib_id = 0
            let status = unsafe timer.pointee.start(active.host.context, active.id, milliseconds, user, &id)
            handle.set(id)
            return status
        } onCancel: {
            if let id = handle.take() { _ = unsafe timer.pointee.cancel(active.host.context, id) }
        }
    }

    /// HMAC-SHA256 of the data under a secret that the plugin never sees.
    public func hmacSHA256(secret: String, data: [UInt8]) async throws -> [UInt8] {
        let hmac = try unsafe active.host.service(active.host.hmac, "the hmac service")
        return try await active.reply(to: "an HMAC under the secret \(secret)") { user in
            unsafe withSpans(Array(secret.utf8), data) { secret, data in
                unsafe hmac.pointee.sha256(active.host.context, active.id, secret, data, user)
            }
        }
    }

    /// Keeps bytes (at most 16 MiB) by their content.
    ///
    /// - Returns: their digest, 64 lower-case hexadecimal digits.
    public func putBlob(_ bytes: [UInt8]) async throws -> String {
        let blob = try unsafe active.host.service(active.host.blob, "the blob service")
        let digest = try await active.reply(to: "to keep a blob") { user in
            unsafe withSpans(bytes, []) { bytes, _ in
                unsafe blob.pointee.put(active.host.context, active.id, bytes, user)
            }
        }
        return String(decoding: digest, as: UTF8.self)
    }

    /// A kept blob's bytes from `offset` on, at most `length` of them.
    public func blob(_ digest: String, offset: UInt64 = 0, length: UInt64 = .max) async throws -> [UInt8] {
        let blob = try unsafe active.host.service(active.host.blob, "the blob service")
        return try await active.reply(to: "the blob \(digest)") { user in
            unsafe withSpans(Array(digest.utf8), []) { digest, _ in
                unsafe blob.pointee.get(active.host.context, active.id, digest, offset, length, user)
            }
        }
    }
}
