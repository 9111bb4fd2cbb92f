import Glibc
import Synchronization
import Threads

/// One thread that runs short actions at their time: deadlines, grace periods and the plugins' own timers.
///
/// Unchecked: the mutex and the condition are thread-safe, and guard everything else.
@safe final class TimerThread: @unchecked Sendable {
    typealias ID = UInt64

    private struct Entry {
        let time: ContinuousClock.Instant
        let id: ID
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var heap: [Entry] = []
    private var actions: [ID: @Sendable () -> Void] = [:]
    private var nextID: ID = 1
    private var isStopping = false

    init() throws(OwnedThread.Unavailable) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        try OwnedThread.startDetached(name: "plugin-timers") { self.run() }
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs the action on this thread after the delay. It must not block.
    func schedule(after delay: Duration, _ action: @escaping @Sendable () -> Void) -> ID {
        locked {
            let id = nextID
            nextID += 1
            guard !isStopping else { return id }
            actions[id] = action
            push(Entry(time: .now.advanced(by: max(delay, .zero)), id: id))
            if heap[0].id == id { unsafe pthread_cond_signal(condition) }
            return id
        }
    }

    /// Takes an action back; false where it has run, or is about to.
    @discardableResult
    func cancel(_ id: ID) -> Bool {
        locked {
            guard actions.removeValue(forKey: id) != nil else { return false }
            // Entries without an action wait for their time; before they are the majority they are swept out.
            if heap.count > 64, heap.count > 2 * actions.count {
                heap = heap.filter { actions[$0.id] != nil }.sorted { $0.time < $1.time }
            }
            return true
        }
    }

    /// Drops all actions and ends the thread.
    func stop() {
        locked {
            isStopping = true
            actions = [:]
            heap = []
            unsafe pthread_cond_signal(condition)
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }

    private func run() {
        while let action = next() { action() }
    }

    /// Waits for the next action that is due; nil when the thread is to end.
    private func next() -> (@Sendable () -> Void)? {
        locked {
            while !isStopping {
                guard let first = heap.first else {
                    unsafe pthread_cond_wait(condition, mutex)
                    continue
                }
                let delay = ContinuousClock.now.duration(to: first.time)
                if delay > .zero, actions[first.id] != nil {
                    wait(for: delay)
                    continue
                }
                pop()
                if let action = actions.removeValue(forKey: first.id) { return action }
            }
            return nil
        }
    }

    private func wait(for delay: Duration) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(delay.components.attoseconds / 1_000_000_000) + 1
        time.tv_sec += Int(min(delay.components.seconds, 86_400)) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_cond_timedwait(condition, mutex, &time)
    }

    // MARK: A binary heap by time

    private func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, heap[index].time < heap[(index - 1) / 2].time {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            let children = [2 * index + 1, 2 * index + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0].time < heap[$1].time }),
                heap[least].time < heap[index].time
            else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
