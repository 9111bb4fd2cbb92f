/// Why the schema could not be brought up to date. Says what to do.
public enum MigrationError: Error, Sendable, CustomStringConvertible {
    /// A migration that was applied differs from this binary's of the same number.
    case checksumChanged(number: Int, name: String)
    /// The database has migrations that this binary does not know.
    case databaseNewer(database: Int, binary: Int)
    /// A migration was refused and rolled back. The message is the server's.
    case refused(number: Int, name: String, message: String)
    /// The database could not be used at all.
    case unavailable(String)

    public var description: String {
        switch self {
        case .checksumChanged(let number, let name):
            "migration \(number) (\(name)) was applied to this database with other content than this binary holds: "
                + "the database belongs to another build; use the binary that made it, or another database"
        case .databaseNewer(let database, let binary):
            "the database's schema is at migration \(database), this binary knows \(binary): "
                + "start the newer release, or restore a backup from before the upgrade"
        case .refused(let number, let name, let message):
            "migration \(number) (\(name)) was refused and rolled back: \(message)"
        case .unavailable(let reason): "the schema could not be read or changed: \(reason)"
        }
    }
}
