import Processes

extension Program {
    /// A program of the sandbox's own, with an empty environment but for a fixed search path.
    init(searching arguments: [String]) {
        self.init(arguments, environment: [ApplicationEnvironment.searchPath])
    }
}
