extension LaneConnection {
    /// Sets the session up, if it is our own: a pooler's backend has another id than the one it told.
    ///
    /// Bounds lock waits, and keeps the plans of prepared statements: for a partitioned table PostgreSQL would plan
    /// each anew, at a third of a settlement's time. What is frequent here goes by keys: a plan that was made while a
    /// table was small, and is kept, must not read all of it when it has grown. Compiling a plan never pays here.
    static let introduction = """
        SELECT set_config('lock_timeout', $2, false), set_config('plan_cache_mode', 'force_generic_plan', false),
            set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
            set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false)
        WHERE pg_backend_pid() = $1::integer
        """
}
