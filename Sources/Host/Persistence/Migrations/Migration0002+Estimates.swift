extension Migration {
    static let estimateChanges = """
        ALTER TABLE template_executions ADD COLUMN estimated_completion timestamptz;
        -- The last runs of a template, for the median of how long they took. No fence's `status = 'running'` implies
        -- its predicate, so no plan of one goes by it.
        CREATE INDEX idx_executions_completed ON template_executions (template_id, end_time)
            WHERE status = 'completed';
        """
}
