import Domain
import Testing

@testable import Repositories

@Suite struct GitSourceServiceTests {
    private func read(_ stream: (any SourceStream)?) async throws -> String {
        let stream = try #require(stream)
        var bytes: [UInt8] = []
        while let chunk = try await stream.next() { bytes += chunk }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `speaks the version that the client asks for`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1")])])
        let (id, user) = (workshop.execution, workshop.user)
        let second = try await read(try await workshop.service.references(of: id, user: user, version: "version=2"))
        #expect(second.hasPrefix("000eversion 2\n"))
        for version in [nil, "version=2\nGIT_DIR=/", "", String(repeating: "v", count: 200)] {
            let first = try await read(try await workshop.service.references(of: id, user: user, version: version))
            #expect(first.hasPrefix("001e# service=git-upload-pack\n0000"))
            #expect(first.contains("refs/heads/main") && first.contains("symref=HEAD:refs/heads/main"))
        }
    }

    @Test func `answers a request for references`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1")])])
        let request = "0014command=ls-refs\n00010000"
        let answer = try await read(
            try await workshop.service.pack(
                of: workshop.execution, user: workshop.user, request: Array(request.utf8), version: "version=2"))
        let head = try await workshop.git("rev-parse", "main", in: workshop.repository()).dropLast()
        #expect(answer.contains("\(head) HEAD\n") && answer.contains("\(head) refs/heads/main\n"))
    }

    @Test func `another user's execution is not there`() async throws {
        let workshop = try Workshop()
        let other = UUIDv7(at: Timestamp(microseconds: 0))
        #expect(
            try await workshop.service.references(of: workshop.execution, user: other, version: nil) == nil)
        #expect(
            try await workshop.service.pack(of: other, user: workshop.user, request: [], version: nil) == nil)
    }

    @Test func `a request that is nonsense ends with an error, not with a hang`() async throws {
        let workshop = try Workshop()
        workshop.write([SourceContribution("A", [("a", "1")])])
        let stream = try await workshop.service.pack(
            of: workshop.execution, user: workshop.user, request: Array("zzzz".utf8), version: "version=2")
        #expect(await refusal { _ = try await read(stream) }?.code == .unavailable)
    }
}
