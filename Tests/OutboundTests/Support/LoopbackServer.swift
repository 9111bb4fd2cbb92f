import Glibc
import Synchronization
import Threads

@testable import Outbound

/// A listening socket on 127.0.0.1 whose connections each run one handler on a thread of their own, in plain blocking
/// calls: what goes over the wire is exactly what the test says.
final class LoopbackServer: Sendable {
    let port: UInt16
    private let socket: Int32
    private let accepted = Atomic<Int>(0)

    var origin: String { "http://127.0.0.1:\(port)" }
    var acceptedConnections: Int { accepted.load(ordering: .sequentiallyConsistent) }

    init(receiveBuffer: Int32? = nil, _ handler: @escaping @Sendable (Connection) -> Void) {
        (socket, port) = Self.listen(backlog: 512, receiveBuffer: receiveBuffer)
        let socket = socket
        Self.startThread("test-accept") { [weak self] in
            while true {
                let peer = accept(socket, nil, nil)
                guard peer >= 0 else { break }
                closeOnExec(peer)
                self?.accepted.add(1, ordering: .sequentiallyConsistent)
                Self.startThread("test-peer") {
                    let connection = Connection(socket: peer)
                    handler(connection)
                    Glibc.close(peer)
                }
            }
            Glibc.close(socket)
        }
    }

    private static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        do { try OwnedThread.startDetached(name: name, body) } catch { fatalError("\(error)") }
    }

    /// Ends the accepting thread.
    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    static func listen(backlog: Int32, receiveBuffer: Int32? = nil) -> (socket: Int32, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        precondition(socket >= 0)
        if var size = receiveBuffer {
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(unsafe bind(socket, address, length) == 0)
                precondition(unsafe getsockname(socket, address, &length) == 0)
            }
        }
        precondition(Glibc.listen(socket, backlog) == 0)
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    static func connect(port: UInt16, isBlocking: Bool = true) -> Int32 {
        let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_INET, Int32(flags), 0)
        var address = loopback(port: port)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = unsafe Glibc.connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return socket
    }

    /// The port a descriptor is connected to; nil where it is no connected socket.
    static func peerPort(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getpeername(descriptor, $0, &length)
            }
        }
        return code == 0 && address.sin_family == sa_family_t(AF_INET) ? UInt16(bigEndian: address.sin_port) : nil
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// One accepted connection; blocking.
struct Connection: Sendable {
    struct Request: Sendable {
        let line: String
        /// Lower-case names, in order.
        let headers: [(name: String, value: String)]
        subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    let socket: Int32

    /// Reads up to the empty line; nil where the peer has closed.
    func readHead() -> Request? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(1)?.first else { return nil }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            return (name: parts[0].lowercased(), value: String(value))
        }
        return Request(line: String(lines[0]), headers: headers)
    }

    /// The body that `head` announces.
    func readBody(of head: Request) -> [UInt8] {
        if let length = head["content-length"].flatMap({ Int($0) }) { return readExactly(length) }
        guard head["transfer-encoding"] == "chunked" else { return [] }
        var body: [UInt8] = []
        while let size = Int(readLine(), radix: 16), size > 0 {
            body += readExactly(size)
            _ = readLine()
        }
        _ = readLine()
        return body
    }

    /// At most `count` bytes; nil at the end.
    func read(_ count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = unsafe Glibc.recv(socket, &buffer, count, 0)
        return got > 0 ? Array(buffer[..<got]) : nil
    }

    private func readExactly(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = read(min(count - bytes.count, 65536)) { bytes += more }
        return bytes
    }

    private func readLine() -> String {
        var bytes: [UInt8] = []
        while bytes.last != 0x0A, let byte = read(1) { bytes += byte }
        return String(decoding: bytes.prefix { $0 != 0x0D }, as: UTF8.self)
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// A whole answer with its length.
    func answer(_ body: String, status: String = "200 OK", headers: [String] = []) {
        let fields = (headers + ["Content-Length: \(body.utf8.count)"]).joined(separator: "\r\n")
        write("HTTP/1.1 \(status)\r\n\(fields)\r\n\r\n\(body)")
    }

    func beginChunked() { write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") }
    func chunk(_ text: String) { write("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n") }
    func endChunked() { write("0\r\n\r\n") }

    /// Whether the socket takes more bytes within `milliseconds`.
    func isWritable(within milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&watched, 1, milliseconds) == 1
    }

    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(
                socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Blocks until the peer has closed; true where it did within ten seconds.
    func waitForClose() -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&watched, 1, 10_000) == 1 {
            if read(65536) == nil { return true }
        }
        return false
    }
}
