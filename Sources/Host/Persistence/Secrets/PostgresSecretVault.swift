import Crypto
public import Domain

/// Secrets of executions in PostgreSQL, each sealed with AES-256-GCM under the host's key. A value moved to another
/// execution or name, or altered, opens no more. Values are in no log and no error.
public struct PostgresSecretVault: SecretVault {
    /// Bytes of the key.
    public static let keyBytes = 32

    private let database: Database
    private let key: SymmetricKey
    /// Tells keys apart without telling anything of them.
    public let keyID: String

    /// - Parameter key: 32 random bytes, the same on all hosts of a database.
    /// - Throws: `rejected` for a key of another length.
    public init(_ database: Database, key: [UInt8]) throws(LedgerError) {
        guard key.count == Self.keyBytes else {
            throw LedgerError(.rejected, "the encryption key has \(key.count) bytes; it must have \(Self.keyBytes)")
        }
        self.database = database
        self.key = SymmetricKey(data: key)
        keyID = SHA256.hash(data: key).prefix(8).hexadecimal
    }

    /// - Throws: `notFound` where there is no such execution.
    public func keep(
        _ value: String, as name: String, of execution: UUIDv7
    ) async throws(LedgerError) -> SecretReference {
        let parameters = try row(value, name, execution)
        // Where another host keeps the same name at the same moment, this statement's snapshot may be older than
        // that: the next one sees it.
        for _ in 0..<3 {
            let rows = try await database.execute(Self.keeping, parameters, affinity: execution)
            if let id = rows.uuid(0, 0) { return SecretReference(id: id) }
        }
        throw LedgerError(.unavailable, "another host keeps a secret of this name at the same time")
    }

    /// What refers to the one before refers to this one then.
    ///
    /// - Throws: `notFound` where there is no such execution.
    public func replace(
        _ value: String, as name: String, of execution: UUIDv7
    ) async throws(LedgerError) -> SecretReference {
        let rows = try await database.execute(
            Self.replacement, try row(value, name, execution), affinity: execution)
        guard let id = rows.uuid(0, 0) else { throw LedgerError(.unavailable, "the server sent no key of a secret") }
        return SecretReference(id: id)
    }

    /// - Throws: `rejected` where a secret was sealed under another key, or was altered.
    public func values(
        _ references: [SecretReference], of execution: UUIDv7
    ) async throws(LedgerError) -> [SecretReference: String] {
        guard !references.isEmpty else { return [:] }
        let rows = try await database.read(
            Self.reading, [.uuid(execution), .array(Array(Set(references)).map(\.id))])
        var values: [SecretReference: String] = [:]
        for row in 0..<rows.count {
            guard let id = rows.uuid(row, 0), let name = rows.text(row, 1) else { continue }
            let otherKey = rows.text(row, 3) ?? ""
            guard otherKey == keyID else {
                throw LedgerError(
                    .rejected,
                    "a secret of execution \(execution) was encrypted with another key (\(otherKey)) than this host's "
                        + "(\(keyID)): start the host with the encryption key that the database was used with")
            }
            guard let sealed = rows.bytes(row, 2), let value = open(sealed, name, execution) else {
                throw LedgerError(.rejected, "a secret of execution \(execution) cannot be decrypted: it was altered")
            }
            values[SecretReference(id: id)] = value
        }
        return values
    }
}

extension PostgresSecretVault {
    /// The key that some secret was sealed under and that is not this host's; nil where there is none.
    public func foreignKeyID() async throws(LedgerError) -> String? {
        let rows = try await database.execute(Self.foreign, [.text(keyID)])
        return rows.isEmpty ? nil : rows.text(0, 0)
    }

    private func row(_ value: String, _ name: String, _ execution: UUIDv7) throws(LedgerError) -> [SQLValue] {
        guard !name.utf8.contains(0), name.utf8.count <= 1_000 else {
            throw LedgerError(.rejected, "a secret's name is longer than 1,000 bytes or has a U+0000")
        }
        let box: AES.GCM.SealedBox
        do { box = try AES.GCM.seal(Array(value.utf8), using: key, authenticating: context(name, execution)) } catch {
            throw LedgerError(.rejected, "a secret could not be encrypted")
        }
        let sealed = Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
        return [
            .uuid(UUIDv7(at: SystemWallClock().now())), .uuid(execution), .text(name), .bytes(sealed), .text(keyID),
        ]
    }

    private func open(_ sealed: [UInt8], _ name: String, _ execution: UUIDv7) -> String? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let value = try? AES.GCM.open(box, using: key, authenticating: context(name, execution))
        else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// Authenticated with the value. The id's text has a fixed length, so no two pairs give the same bytes.
    private func context(_ name: String, _ execution: UUIDv7) -> [UInt8] {
        Array(execution.description.utf8) + Array(name.utf8)
    }

    private static let foreign = Statement(
        "foreign-secret", "SELECT key_id FROM execution_secrets WHERE key_id <> $1 LIMIT 1")

    private static let keeping = Statement(
        "keep-secret",
        """
        WITH kept AS (
            INSERT INTO execution_secrets (id, execution_id, name, sealed, key_id)
            VALUES ($1::uuid, $2::uuid, $3, $4::bytea, $5)
            ON CONFLICT (execution_id, name) DO NOTHING
            RETURNING id)
        SELECT coalesce(
            (SELECT id FROM kept),
            (SELECT id FROM execution_secrets WHERE execution_id = $2::uuid AND name = $3))
        """)

    private static let replacement = Statement(
        "replace-secret",
        """
        INSERT INTO execution_secrets (id, execution_id, name, sealed, key_id)
        VALUES ($1::uuid, $2::uuid, $3, $4::bytea, $5)
        ON CONFLICT (execution_id, name) DO UPDATE SET
            sealed = excluded.sealed, key_id = excluded.key_id, created_at = now()
        RETURNING id
        """)

    private static let reading = Statement(
        "read-secrets",
        """
        SELECT id, name, sealed, key_id FROM execution_secrets
        WHERE execution_id = $1::uuid AND id = ANY ($2::uuid[])
        """)
}
