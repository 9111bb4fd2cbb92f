extension Migration {
    /// How often what a lost host had begun was begun again.
    static let lostHosts = Migration(
        number: 4, name: "lost hosts",
        sql: """
            -- By name: a step's id, or `undo` and a step's id. Written by owners after the first alone.
            ALTER TABLE template_executions ADD COLUMN begun_again jsonb NOT NULL DEFAULT '{}';
            """)
}
