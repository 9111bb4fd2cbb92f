import Glibc
import Processes

/// The port of 127.0.0.1 that a private cluster listens on.
enum ClusterPort {
    /// A server that still runs keeps its port. 0 takes the port the cluster had before, if it is still free: what
    /// holds a URL with it goes on working.
    static func choose(_ wanted: Int, for layout: ClusterLayout) throws(ClusterError) -> Int {
        guard (0...65_535).contains(wanted) else {
            throw ClusterError(.startup, "port \(wanted) does not exist; use 0 (any free port) to 65535")
        }
        if let running = try ofRunningServer(layout) {
            guard wanted == 0 || wanted == running else {
                throw ClusterError(
                    .startup, "a server of this directory still runs and listens on port \(running), not \(wanted)")
            }
            return running
        }
        if wanted != 0 { return wanted }
        if let text = FileSystem.text(layout.portFile), let before = Int(text.prefix { $0.isNumber }),
            (1...65_535).contains(before), bound(to: before) == before
        {
            return before
        }
        guard let free = bound(to: 0) else {
            throw ClusterError(.startup, "no port of 127.0.0.1 is free: \(SystemError.text(errno))")
        }
        try FileSystem.write("\(free)\n", to: layout.portFile, mode: 0o600, owner: ClusterAccount.current())
        return free
    }

    /// nil where no server runs.
    private static func ofRunningServer(_ layout: ClusterLayout) throws(ClusterError) -> Int? {
        guard ServerProcess(servingDataOf: layout) != nil else { return nil }
        // Process id, directory, time of start, port, …: a line each.
        let lines = (FileSystem.text(layout.pidFile) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 3, let port = Int(lines[3]) else {
            throw ClusterError(.startup, "a server is starting in this directory: try again")
        }
        return port
    }

    /// The port that a socket was bound to for a moment; nil where it is taken.
    private static func bound(to port: Int) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // As the server does: connections that have ended do not count.
        var reuse: Int32 = 1
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
