extension Migration {
    /// The order in which runs are claimed, apart from their age: one user's many do not go before another's first.
    ///
    /// The id is part of the index, which is then the order of claims itself: by the moment alone a claim of a few had to
    /// sort whatever was unfinished, plans unpacked, whenever the statistics were older than the queue.
    static let turns = Migration(
        number: 3, name: "turns",
        sql: """
            -- Hosts of an earlier release admit without it, and claim by created_at.
            ALTER TABLE template_executions ADD COLUMN turn_at timestamptz NOT NULL DEFAULT now();
            UPDATE template_executions SET turn_at = created_at WHERE end_time IS NULL;
            CREATE INDEX idx_executions_turns ON template_executions (turn_at, id) WHERE end_time IS NULL;
            DROP INDEX idx_executions_unfinished;
            """)
}
