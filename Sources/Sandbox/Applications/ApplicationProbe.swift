import Glibc

/// One look at an application's port. Blocks for as long as the application takes to answer, at most `patience`.
struct ApplicationProbe {
    enum Finding: Equatable {
        case silent
        case listening
        /// It answered, with this status.
        case answered(Int)
    }

    private static let patience: Int32 = 5_000

    let port: Int

    /// Whether anybody listens, without asking for anything.
    func look() -> Finding {
        guard let connection = connect() else { return .silent }
        close(connection)
        return .listening
    }

    /// Asks for a path, over HTTP.
    ///
    /// - Parameter path: without white space.
    func get(_ path: String) -> Finding {
        guard let connection = connect() else { return .silent }
        defer { close(connection) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard unsafe send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return .listening
        }
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        // "HTTP/1.1 200 …"
        while head.count < 12, wait(connection, POLLIN) {
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            head += buffer[..<count]
        }
        guard head.starts(with: Array("HTTP/1.".utf8)), head.count >= 12, head[8] == 32,
            let status = Int(String(decoding: head[9..<12], as: UTF8.self))
        else { return .listening }
        return .answered(status)
    }

    private func connect() -> Int32? {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_INET, Int32(kind), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe Glibc.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard result == 0 || errno == EINPROGRESS, wait(descriptor, POLLOUT),
            unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func wait(_ descriptor: Int32, _ events: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return unsafe poll(&request, 1, Self.patience) > 0
    }
}
