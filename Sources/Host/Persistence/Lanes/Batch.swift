/// Statements that share a synchronisation, and what has come back for them. A value: it decides nothing.
struct Batch {
    /// What each reply of the server belongs to, in the order of sending.
    enum Step {
        case setting
        case preparation(String)
        case job(Int)
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

    /// Takes the next reply; answers the name of a statement that is now prepared.
    mutating func take(_ reply: Connection.Reply) -> String? {
        switch reply {
        case .rows(let result):
            guard position < steps.count else { return nil }
            switch steps[position] {
            case .job(let index): rows[index] = result
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
