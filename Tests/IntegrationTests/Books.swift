import Domain
import Logging

@testable import Persistence

/// A host's own books, read from its private database once it has stopped.
enum Books {
    /// Every row of `ai_api_calls`, in the order in which the calls were opened.
    static func calls(in dataDirectory: String) async throws -> [JSON] {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let cluster = try await PrivateCluster.start(dataDirectory: dataDirectory + "/postgres", logger: logger)
        do {
            let database = try await Database.connect(
                cluster.connectionURL, configuration: DatabaseConfiguration(), logger: logger)
            let rows = try await database.transaction { session throws(DatabaseError) in
                try session.query(query).json(0, 0)
            }
            await database.close()
            await cluster.stop()
            return rows?.arrayValue ?? []
        } catch {
            await cluster.stop()
            throw error
        }
    }

    private static let query = """
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'id', id, 'execution_id', execution_id, 'provider', ai_provider, 'attempt', attempt,
                   'state', state, 'input_tokens', input_tokens, 'output_tokens', output_tokens,
                   'cost', coalesce(cost, 0)::text) ORDER BY id), '[]')
        FROM ai_api_calls
        """
}
