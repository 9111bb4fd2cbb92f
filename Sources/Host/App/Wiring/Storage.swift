import API
import Domain
import Logging
import Persistence

/// The database a command works on: the one `DATABASE_URL` names, or the private one of the data directory.
struct Storage: Sendable {
    let database: Database
    let settings: Settings
    /// nil where a database is given and the command keeps nothing on this machine.
    let data: DataDirectory?
    let isPrivate: Bool

    /// Opens the database, starting the private server where there is no other, and closes it again however `body`
    /// ends.
    ///
    /// - Parameter keepsData: whether the command needs the data directory also where a database is given.
    static func with<Result: Sendable>(
        _ settings: Settings, keepsData: Bool = false, worker: UUIDv7? = nil, logger: Logger,
        _ body: (Storage) async throws -> Result
    ) async throws -> Result {
        let isPrivate = settings.databaseURL == nil
        let data = isPrivate || keepsData ? try DataDirectory(settings.dataDirectory) : nil
        var cluster: PrivateCluster?
        if let data, isPrivate {
            cluster = try await PrivateCluster.start(dataDirectory: data.path + "/postgres", logger: logger)
        }
        do {
            guard let url = cluster?.connectionURL ?? settings.databaseURL else {
                throw StartFailure("there is no database")
            }
            var configuration = worker.map { DatabaseConfiguration(worker: $0) } ?? DatabaseConfiguration()
            configuration.connectionWait = settings.databaseWait
            configuration.answerTimeout = settings.databaseAnswer
            let database = try await Database.connect(url, configuration: configuration, logger: logger)
            let storage = Storage(database: database, settings: settings, data: data, isPrivate: isPrivate)
            do {
                let result = try await body(storage)
                await database.close()
                await cluster?.stop()
                return result
            } catch {
                await database.close()
                throw error
            }
        } catch {
            await cluster?.stop()
            throw error
        }
    }

    /// The hash under which API keys are stored.
    func keyHasher() throws -> APIKeyHasher {
        if let salt = settings.apiKeySalt { return APIKeyHasher(salt: Array(salt.utf8)) }
        guard isPrivate, let data else {
            throw StartFailure(
                "API_KEY_SALT is not set: hosts that share a database need the same salt for API keys; "
                    + "make one with `openssl rand -hex 32` and keep it")
        }
        return APIKeyHasher(salt: Array(try data.apiKeySalt().utf8))
    }

    /// Creates an administrator; answers the API key, which is stored nowhere.
    func createAdministrator(email: String) async throws -> String {
        let credentials = APICredentials.generate()
        let hasher = try keyHasher()
        let now = SystemWallClock().now()
        let registration = Registration(
            userID: UUIDv7(at: now), keyID: UUIDv7(at: now), email: email.lowercased(), passwordHash: nil,
            tier: "enterprise", keyHash: hasher.hash(credentials.key), keySecretHash: hasher.hash(credentials.secret),
            isAdmin: true)
        switch try await PostgresAccounts(database).register(registration) {
        case .created: return credentials.key
        case .emailTaken: throw StartFailure("\(email) is registered already; choose another address")
        }
    }
}
