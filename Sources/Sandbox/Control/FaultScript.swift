import Domain

/// Faults that are set before the first call comes, as an operator writes them into a file: a JSON array of what
/// `POST /faults` takes.
public struct FaultScript: Sendable {
    let faults: [Fault]

    /// None.
    public init() { faults = [] }

    /// - Throws: `SandboxError.invalidFaults`, which says what is wrong and what is allowed.
    public init(_ text: [UInt8]) throws(SandboxError) {
        let json: JSON
        do { json = try JSON.parse(text) } catch { throw .invalidFaults("\(error)") }
        guard let list = json.arrayValue else {
            throw .invalidFaults("it must be an array of faults, not \(json.typeName)")
        }
        guard list.count <= FaultQueue.capacity else {
            throw .invalidFaults("it has \(list.count) faults; at most \(FaultQueue.capacity) may be set at once")
        }
        var faults: [Fault] = []
        for (index, one) in list.enumerated() {
            do { faults.append(try Fault(one)) } catch {
                throw .invalidFaults("fault \(index + 1) of \(list.count): \(error.message)")
            }
        }
        self.faults = faults
    }
}
