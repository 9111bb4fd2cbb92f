extension Migration {
    static let webhookTables = """
        -- The outbox: events for webhooks, committed with the checkpoint they tell of. Like the other tables of a
        -- checkpoint it has neither checks nor a reference to its execution, whose row the fence has locked.
        CREATE TABLE webhook_deliveries (
            id uuid PRIMARY KEY,
            execution_id uuid NOT NULL,
            -- Rises within an execution: checkpoints of one execution commit one after the other.
            sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            type text NOT NULL,
            data jsonb NOT NULL,
            -- pending, delivered or dead.
            state text NOT NULL DEFAULT 'pending',
            -- Deliveries that were begun, the one under way among them.
            attempts integer NOT NULL DEFAULT 0,
            -- While a host tries it: when its lease ends.
            next_attempt_at timestamptz NOT NULL DEFAULT now(),
            last_error text,
            created_at timestamptz NOT NULL,
            settled_at timestamptz
        ) WITH (fillfactor = 80);
        -- What is due, and whether something of the same execution waits before it.
        CREATE INDEX idx_webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';
        CREATE INDEX idx_webhook_deliveries_order ON webhook_deliveries (execution_id, sequence)
            WHERE state = 'pending';
        """
}
