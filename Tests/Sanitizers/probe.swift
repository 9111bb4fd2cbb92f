// Shows scripts/sanitize that a sanitizer sees what it is there for, and that it is silent where nothing is wrong.
// usage: probe clean|race|freed|leak
import Glibc
import Synchronization

/// What the threads share: lists behind a Mutex, and a number behind nothing.
final class Shared: @unchecked Sendable {
    let list = Mutex<[Int]>([])
    let questions = Mutex<[CheckedContinuation<Node, Never>]>([])
    var number = 0
}

final class Node: @unchecked Sendable {
    var other: Node?
}

private let shared = Shared()
private let rounds = 20_000

@main enum Probe {
    static func main() async {
        switch CommandLine.arguments.last {
        case "clean": await clean()
        case "race": race()
        case "freed": print(freed())
        case "leak": leak()
        default: exit(2)
        }
    }

    /// Runs `body` on four threads at once: a Mutex that is contended takes another way than a free one.
    private static func onThreads(_ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?) {
        let threads = (0..<4).map { _ in
            var thread = pthread_t()
            pthread_create(&thread, nil, body, nil)
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
    }

    private static func clean() async {
        onThreads { _ in
            for round in 0..<rounds {
                shared.list.withLock { $0 = $0.count < 9 ? $0 + [round] : [] }
                if shared.list.withLockIfAvailable({ $0.append(round) }) == nil { sched_yield() }
            }
            return nil
        }
        var answerer = pthread_t()
        pthread_create(
            &answerer, nil,
            { _ in
                var left = rounds
                while left > 0 {
                    guard let question = shared.questions.withLock({ $0.popLast() }) else { continue }
                    question.resume(returning: Node())
                    left -= 1
                }
                return nil
            }, nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    // Some are answered before the task comes to wait.
                    for _ in 0..<rounds / 4 {
                        let node = await withCheckedContinuation { question in
                            shared.questions.withLock { $0.append(question) }
                            sched_yield()
                        }
                        node.other = node
                        node.other = nil
                    }
                }
            }
        }
        pthread_join(answerer, nil)
    }

    private static func race() {
        onThreads { _ in
            for _ in 0..<rounds { shared.number += 1 }
            return nil
        }
    }

    private static func freed() -> Int {
        let numbers = UnsafeMutablePointer<Int>.allocate(capacity: 4)
        numbers.initialize(repeating: rounds, count: 4)
        numbers.deallocate()
        return numbers[2]
    }

    private static func leak() {
        for _ in 0..<rounds {
            let (one, two) = (Node(), Node())
            (one.other, two.other) = (two, one)
        }
    }
}
