import Domain
import Testing

@Suite struct UUIDv7Tests {
    @Test func `carries its time, version and variant`() {
        let time = Timestamp(microseconds: 1_795_421_700_250_123)
        for _ in 0..<100 {
            let id = UUIDv7(at: time)
            let text = Array(id.description)
            #expect(text.count == 36)
            #expect([8, 13, 18, 23].allSatisfy { text[$0] == "-" })
            #expect(text[14] == "7")
            #expect("89ab".contains(text[19]))
            #expect(id.timestamp == Timestamp(microseconds: 1_795_421_700_250_000))
            #expect(UUIDv7(id.description) == id)
            #expect(UUIDv7(id.description.uppercased()) == id)
        }
    }

    @Test func `sorts by time, as a value and as text`() {
        let ids = (0..<50).map { UUIDv7(at: Timestamp(microseconds: 1_795_421_700_000_000 + Int64($0) * 1_000)) }
        #expect(ids.sorted() == ids)
        #expect(ids.map(\.description).sorted() == ids.map(\.description))
    }

    @Test func `two of one millisecond differ`() {
        let time = Timestamp(microseconds: 1_795_421_700_000_000)
        #expect(Set((0..<1_000).map { _ in UUIDv7(at: time) }).count == 1_000)
    }

    @Test(arguments: [
        "", "0192e4a0-0000-7000-8000-00000000000", "0192e4a0-0000-7000-8000-0000000000000",
        "0192e4a000007000800000000000000000000", "0192e4a0-0000-7000-8000-00000000000g",
        "0192e4a0-0000-7000-80000-0000000000-", "+192e4a0-0000-7000-8000-000000000000",
        "{192e4a0-0000-7000-8000-00000000000}", "-----0-0-0---0-0----0--------------0",
    ])
    func `other texts are refused`(text: String) {
        #expect(UUIDv7(text) == nil)
    }
}
