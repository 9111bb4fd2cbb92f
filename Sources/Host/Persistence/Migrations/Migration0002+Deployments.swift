extension Migration {
    static let deploymentChanges = """
        -- One row a deployment step, written again while it goes on. The index keeps its published name and serves
        -- the same reads; a second one on the execution alone would help none of them.
        ALTER TABLE deployments ADD COLUMN step_id text;
        DROP INDEX idx_deployments_execution;
        CREATE UNIQUE INDEX idx_deployments_execution ON deployments (execution_id, step_id);
        -- Providers choose these; one that is too long must not fail a checkpoint.
        ALTER TABLE deployments ALTER COLUMN provider TYPE text, ALTER COLUMN deployment_id TYPE text;
        """
}
