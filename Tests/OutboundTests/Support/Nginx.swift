import Glibc

/// A real nginx with TLS and HTTP/2 on 127.0.0.1, in the foreground, with its own prefix in a temporary directory. It
/// inherits its listening socket from the test, so that it accepts connections from the first moment.
final class Nginx: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let port: UInt16
    private let directory: String
    private let process: pid_t

    var origin: String { "https://localhost:\(port)" }
    /// The authority that signed the server's certificate.
    var authority: String { directory + "/authority.pem" }

    /// - Parameters:
    ///   - names: what the certificate is good for.
    ///   - upstream: port of the plain server behind `/upstream/`.
    init(names: String = "DNS:localhost,IP:127.0.0.1", upstream: UInt16 = 9) throws {
        guard unsafe access("/usr/sbin/nginx", X_OK) == 0 else {
            throw Failure(description: "nginx is not installed; run scripts/bootstrap, which installs nginx-light")
        }
        var template = Array("/tmp/aib-nginx-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure(description: "mkdtemp: errno \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The worker of a master that runs as root does not.
        unsafe chmod(directory, 0o711)
        let (socket, port) = LoopbackServer.listen(backlog: 512)
        defer { close(socket) }
        self.port = port
        try Self.makeCertificates(in: directory, names: names)
        try Self.writeFile(directory + "/nginx.conf", Self.configuration(directory, port: port, upstream: upstream))
        process = try Self.spawn(
            ["/usr/sbin/nginx", "-p", directory, "-c", "nginx.conf", "-e", directory + "/error.log"], listening: socket)
    }

    deinit {
        // The master ends its worker before itself.
        kill(process, SIGTERM)
        _ = waitpid(process, nil, 0)
        _ = try? Self.run(["/bin/rm", "-rf", directory])
    }

    private static func configuration(_ directory: String, port: UInt16, upstream: UInt16) -> String {
        """
        daemon off;
        worker_processes 1;
        pid \(directory)/nginx.pid;
        events { worker_connections 1024; }
        http {
            access_log off;
            client_body_temp_path \(directory)/body;
            proxy_temp_path \(directory)/proxy;
            fastcgi_temp_path \(directory)/fastcgi;
            uwsgi_temp_path \(directory)/uwsgi;
            scgi_temp_path \(directory)/scgi;
            server {
                listen 127.0.0.1:\(port) ssl http2;
                ssl_certificate \(directory)/server.pem;
                ssl_certificate_key \(directory)/server.key;
                location /connection { return 200 "$connection $server_protocol"; }
                location /upstream/ {
                    proxy_pass http://127.0.0.1:\(upstream)/;
                    proxy_http_version 1.1;
                    proxy_buffering off;
                    proxy_request_buffering off;
                    client_max_body_size 0;
                }
            }
        }
        """
    }

    private static func makeCertificates(in directory: String, names: String) throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try run(
            ["/usr/bin/openssl", "req", "-x509"] + key
                + [
                    "-keyout", directory + "/authority.key", "-out", directory + "/authority.pem", "-subj",
                    "/CN=Test CA",
                ])
        try run(
            ["/usr/bin/openssl", "req", "-x509"] + key + [
                "-keyout", directory + "/server.key", "-out", directory + "/server.pem", "-subj", "/CN=Test server",
                "-CA", directory + "/authority.pem", "-CAkey", directory + "/authority.key",
                "-addext", "subjectAltName=\(names)", "-addext", "basicConstraints=critical,CA:FALSE",
            ])
    }

    private static func writeFile(_ path: String, _ text: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw Failure(description: "\(path): errno \(errno)") }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }

    private static func run(_ arguments: [String]) throws {
        let process = try spawn(arguments, listening: nil)
        var status: Int32 = 0
        unsafe _ = waitpid(process, &status, 0)
        guard status == 0 else { throw Failure(description: "\(arguments.joined(separator: " ")): status \(status)") }
    }

    /// Starts a process that sees `listening` as descriptor 3, the way nginx takes over sockets on an upgrade.
    private static func spawn(_ arguments: [String], listening: Int32?) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        if let listening { unsafe _ = posix_spawn_file_actions_adddup2(&actions, listening, 3) }
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var environment = unsafe [strdup("PATH=/usr/bin:/bin"), listening == nil ? nil : strdup("NGINX=3;"), nil]
        defer {
            for index in unsafe argv.indices { unsafe free(argv[index]) }
            for index in unsafe environment.indices { unsafe free(environment[index]) }
        }
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, arguments[0], &actions, nil, &argv, &environment)
        guard code == 0 else { throw Failure(description: "cannot start \(arguments[0]): error \(code)") }
        return process
    }
}
