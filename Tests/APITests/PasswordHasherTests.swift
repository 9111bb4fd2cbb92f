import Testing

@testable import API

@Suite struct PasswordHasherTests {
    private let hasher = PasswordHasher(cost: .init(logarithm: 4, blockSize: 1, parallelism: 1))

    @Test func verifiesOnlyTheSamePassword() async throws {
        let stored = try await hasher.hash("correct horse")
        #expect(try await hasher.verify("correct horse", against: stored))
        #expect(try await !hasher.verify("correct horsf", against: stored))
        #expect(try await !hasher.verify("", against: stored))
    }

    @Test func saltsEachHashAndFitsTheColumn() async throws {
        let first = try await hasher.hash("same")
        let second = try await hasher.hash("same")
        #expect(first.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
        #expect(first.utf8.count <= 255)
        #expect(first.split(separator: "$")[2] != second.split(separator: "$")[2])
    }

    @Test func readsTheCostFromTheHashSoThatItCanBeRaised() async throws {
        let older = PasswordHasher(cost: .init(logarithm: 5, blockSize: 2, parallelism: 2))
        #expect(try await hasher.verify("same", against: try await older.hash("same")))
    }

    @Test func agreesWithTheStandard() async throws {
        // RFC 7914, section 12: scrypt("password", "NaCl", N=1024, r=8, p=16), first 32 bytes.
        let stored = "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"
        #expect(try await hasher.verify("password", against: stored))
    }

    @Test(arguments: [
        "", "plain", "$scrypt$", "$argon2id$ln=4,r=1,p=1$c2FsdA$aGFzaA", "$scrypt$ln=4,r=1$c2FsdA$aGFzaA",
        "$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$scrypt$ln=4,r=1,p=1$c2FsdA$",
        "$scrypt$ln=-4,r=1,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
    ])
    func refusesForeignStrings(stored: String) async throws {
        #expect(try await !hasher.verify("password", against: stored))
    }

    @Test func refusesMoreThanMayWait() async throws {
        let hasher = PasswordHasher(cost: .init(logarithm: 4, blockSize: 1, parallelism: 1), maximumWaiting: 1)
        // A place is given back when its hash is done.
        _ = try await hasher.hash("a")
        _ = try await hasher.hash("b")
        await #expect(throws: PasswordHasherBusy.self) {
            try await PasswordHasher(maximumWaiting: 0).hash("c")
        }
    }
}
