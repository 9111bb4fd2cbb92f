extension Migration {
    static let secretTables = """
        -- Passwords and connection URLs that runs make. Only this table has them, and only encrypted.
        CREATE TABLE execution_secrets (
            id uuid PRIMARY KEY,
            execution_id uuid NOT NULL REFERENCES template_executions (id),
            name text NOT NULL,
            -- AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. Execution and name are authenticated with it.
            sealed bytea NOT NULL,
            -- Which key it takes: the first eight bytes of the key's SHA-256, in hexadecimal digits.
            key_id text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (execution_id, name)
        );
        """
}
