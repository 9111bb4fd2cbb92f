import Domain

/// Statements that share a synchronisation, and what has come back for them. A value: it decides nothing.
struct Batch {
    /// What each reply of the server belongs to, in the order of sending.
    enum Step {
        case setting
        case preparation(String)
        case job(Int)
        /// These were carried out as one.
        case jobs([Int])
    }

    var jobs: [SharedJob] = []
    var steps: [Step] = []
    var isWaitingToWrite = false
    private(set) var rows: [Rows?] = []
    /// The first refusal: with one, nothing of the batch happened.
    private(set) var refusal: ServerRefusal?
    private var position = 0

    init(jobs: [SharedJob] = []) {
        self.jobs = jobs
        rows = Array(repeating: nil, count: jobs.count)
    }

    /// More statements have ended than were sent.
    var isOverrun: Bool { position > steps.count }

    /// Whether the statement is prepared in this batch.
    func isPreparing(_ name: String) -> Bool {
        steps.contains { if case .preparation(name) = $0 { true } else { false } }
    }

    /// What is sent, each with the jobs that it carries out. Jobs of one statement go together where it has a form
    /// for that; one whose execution has another before it in the batch keeps its place behind that one.
    var parcels: [[Int]] {
        var parcels: [[Int]] = []
        var places: [String: Int] = [:]
        var seen: Set<UUIDv7> = []
        for (index, job) in jobs.enumerated() {
            let isFirst = job.affinity.map { seen.insert($0).inserted } ?? false
            guard isFirst, job.statement.batched != nil, let name = job.statement.name else {
                parcels.append([index])
                continue
            }
            if let place = places[name] {
                parcels[place].append(index)
            } else {
                places[name] = parcels.count
                parcels.append([index])
            }
        }
        return parcels
    }

    /// Takes the next reply; answers the name of a statement that is now prepared.
    mutating func take(_ reply: Connection.Reply) -> String? {
        switch reply {
        case .rows(let result):
            guard position < steps.count else { return nil }
            switch steps[position] {
            case .job(let index): rows[index] = result
            case .jobs(let indices):
                for (index, own) in zip(indices, result.divided(among: indices.count)) { rows[index] = own }
            case .preparation(let name): return name
            case .setting: break
            }
        case .refused(let refusal): self.refusal = self.refusal ?? refusal
        case .end: position += 1
        case .skipped, .synchronized: break
        }
        return nil
    }
}
