import Glibc
import Synchronization
import Testing
import Threads

@Suite struct OwnedThreadTests {
    /// A fault whose signal is blocked would kill the process without the backtrace that its handler prints.
    @Test func faultsReachTheirHandlersAndOtherSignalsDoNot() throws {
        let blocked = Mutex<[Int32]>([])
        let signals = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGTERM, SIGINT, SIGUSR1, SIGPIPE]
        let thread = try OwnedThread.start(name: "signals") {
            var mask = sigset_t()
            unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
            let found = signals.filter { unsafe sigismember(&mask, $0) == 1 }
            blocked.withLock { $0 = found }
        }
        thread.join()
        #expect(blocked.withLock { $0 } == [SIGTERM, SIGINT, SIGUSR1, SIGPIPE])
    }
}
