import Domain
import Testing

@Suite struct JSONObjectTests {
    /// On both sides of the size at which lookup changes from a search to an index.
    @Test(arguments: [0, 1, 11, 12, 13, 14, 40])
    func `members are found, replaced and removed at every size`(count: Int) {
        var object = JSONObject()
        for number in 0..<count { object["k\(number)"] = .integer(Int64(number)) }
        #expect(object.keys == (0..<count).map { "k\($0)" })
        for number in 0..<count { #expect(object["k\(number)"] == .integer(Int64(number))) }
        #expect(object["absent"] == nil)
        object["absent"] = nil
        #expect(object.count == count)
        for number in 0..<count {
            object["k\(number)"] = "new"
            #expect(object["k\(number)"] == "new")
        }
        #expect(object.count == count)
        for number in stride(from: 0, to: count, by: 2) { object["k\(number)"] = nil }
        #expect(object.keys == (0..<count).filter { $0 % 2 == 1 }.map { "k\($0)" })
        for number in 0..<count { #expect((object["k\(number)"] != nil) == (number % 2 == 1)) }
    }

    @Test func `the order of members does not matter to equality, but to text`() {
        let left: JSON = ["a": 1, "b": [2]]
        let right: JSON = ["b": [2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left.text != right.text)
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "b": [3]])
        #expect(left != ["a": 1, "c": [2]])
    }

    @Test func `reading a value as another type gives nil`() {
        let value: JSON = ["text": "a", "number": .decimal("1.5"), "list": [1]]
        #expect(value["text"]?.stringValue == "a")
        #expect(value["text"]?.integerValue == nil)
        #expect(value["number"]?.doubleValue == 1.5)
        #expect(value["number"]?.integerValue == nil)
        #expect(value["list"]?.objectValue == nil)
        #expect(value["list"]?["text"] == nil)
    }
}
