/// A first-in, first-out queue on one array; taking from the front is amortised constant time.
struct Fifo<Element> {
    private var slots: [Element?] = []
    private var head = 0

    var count: Int { slots.count - head }
    var first: Element? { head < slots.count ? slots[head] : nil }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func popFirst() -> Element? {
        guard head < slots.count else { return nil }
        defer {
            slots[head] = nil
            head += 1
            if head * 2 > slots.count {
                slots.removeFirst(head)
                head = 0
            }
        }
        return slots[head]
    }

    mutating func popFirst(_ limit: Int) -> [Element] {
        var taken: [Element] = []
        taken.reserveCapacity(min(limit, count))
        while taken.count < limit, let element = popFirst() { taken.append(element) }
        return taken
    }

    /// Puts elements back in front, in their order.
    mutating func prepend(_ elements: [Element]) {
        slots.replaceSubrange(0..<head, with: elements.map { Optional($0) })
        head = 0
    }

    /// Takes out the elements that satisfy the condition; the others keep their order.
    mutating func removeAll(where condition: (Element) -> Bool) -> [Element] {
        let all = slots[head...].compactMap { $0 }
        slots = all.filter { !condition($0) }.map { Optional($0) }
        head = 0
        return all.filter(condition)
    }
}
