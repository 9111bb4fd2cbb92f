import Domain
import Files
import Glibc
import Testing

@testable import Persistence

@Suite struct BlobStoreTests {
    private static func withStore(_ body: (FileBlobStore, String) async throws -> Void) async throws {
        let directory = try TestServer.temporaryDirectory() + "/blobs"
        let store = try FileBlobStore(directory: directory)
        let result = await Result.catching { try await body(store, directory) }
        await store.close()
        try result.get()
    }

    @Test func bytesAreKeptByTheirDigest() async throws {
        try await Self.withStore { store, directory async throws in
            let empty = try await store.put([])
            #expect(empty == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let digests = [try await store.put(bytes), try await store.put(bytes)]
            let read = try await store.get(digests[0])
            let nothing = try await store.get(empty)
            #expect(digests[0] == digests[1] && read == bytes && nothing == [])
            #expect(FileTree.names(in: directory + "/incoming").isEmpty)
        }
    }

    @Test func unknownAndForeignNamesAreNotThere() async throws {
        try await Self.withStore { store, _ async throws in
            for name in [
                String(repeating: "0", count: 64), "", "../../../etc/passwd", String(repeating: "A", count: 64),
            ] {
                let bytes = try await store.get(name)
                #expect(bytes == nil)
            }
        }
    }

    @Test func damageIsNoticed() async throws {
        try await Self.withStore { store, directory async throws in
            let digest = try await store.put([1, 2, 3])
            let path = "\(directory)/\(digest.prefix(2))/\(digest)"
            #expect(unsafe truncate(path, 2) == 0)
            let error = await #expect(throws: LedgerError.self) { try await store.get(digest) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func leftoversOfACrashAreRemovedAtTheNextStart() async throws {
        try await Self.withStore { _, directory async throws in
            let now = SystemWallClock().now()
            let young = UUIDv7(at: now).description
            let old = UUIDv7(at: Timestamp(microseconds: now.microseconds - 7_200_000_000)).description
            for name in [young, old, "foreign"] { try FileBlobStore.write([1], to: "\(directory)/incoming/\(name)") }
            await (try FileBlobStore(directory: directory)).close()
            // Another host of the same directory may be writing the young one.
            #expect(Set(FileTree.names(in: directory + "/incoming")) == [young, "foreign"])
        }
    }

    @Test func theSameBytesAtOnceAreStoredOnce() async throws {
        try await Self.withStore { store, directory async throws in
            let digests = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await store.put([7, 7, 7]) } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(digests.count == 1)
            #expect(FileTree.names(in: "\(directory)/\(digests.first?.prefix(2) ?? "")").count == 1)
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() {
        let error = #expect(throws: LedgerError.self) { try FileBlobStore(directory: "/proc/nowhere/blobs") }
        #expect(error?.message.contains("/proc/nowhere/blobs") == true)
    }
}
