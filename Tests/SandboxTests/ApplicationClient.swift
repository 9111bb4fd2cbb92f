import Glibc

@testable import Sandbox

/// Asks applications of tests, over HTTP.
enum ApplicationClient {
    /// A Python application that evaluates the expression in the request's path, and answers its value or its error.
    static let evaluator = """
        import http.server, os, resource, signal, socket, subprocess, sys, urllib.parse
        def connect(port):
            with socket.create_connection(('127.0.0.1', port), 5): return 'connected'
        def bind(port):
            with socket.socket() as s: s.bind(('127.0.0.1', port)); return 'bound'
        def write(path):
            with open(path, 'w') as f: f.write('x'); return 'written'
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                try: body = str(eval(urllib.parse.unquote(self.path[1:])))
                except BaseException as error: body = type(error).__name__ + ': ' + str(error)
                self.send_response(200); self.end_headers(); self.wfile.write(body.encode())
            def log_message(self, *arguments): pass
        print('evaluator starts', flush=True)
        server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler)
        server.serve_forever()
        """

    /// The value of a Python expression in an application; its error's name and text where it fails.
    static func evaluate(_ expression: String, on port: Int) async throws -> String {
        let path = expression.utf8.map { byte in
            let isPlain =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            let digits = String(byte, radix: 16)
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
        return try await get("/" + path, on: port)
    }

    /// The body of an answer; empty where there is none.
    static func get(_ path: String, on port: Int) async throws -> String {
        try await OffPool.run("test-client") { () throws(ApplicationFailure) in
            let text = exchange(Array("GET \(path) HTTP/1.0\r\n\r\n".utf8), port)
            return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        }
    }

    private static func exchange(_ request: [UInt8], _ port: Int) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0, unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return ""
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
        }
    }
}
