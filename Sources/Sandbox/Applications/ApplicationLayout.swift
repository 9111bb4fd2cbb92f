/// Where an application's files are.
struct ApplicationLayout: Sendable {
    /// All of it: what alone the application may write to.
    let data: String

    /// What was deployed, where it starts.
    var files: String { data + "/app" }
    var home: String { data + "/home" }
    var temporary: String { data + "/tmp" }
}
