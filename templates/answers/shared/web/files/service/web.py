"""Routes, requests and responses on the standard library's HTTP server, with limits around them."""

import json
import logging
import mimetypes
import os
import re
import signal
import socket
import socketserver
import threading
import urllib.parse
from http import HTTPStatus, cookies
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

log = logging.getLogger("web")
MAXIMUM_BODY = 64 * 1024
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self' https://checkout.stripe.com; base-uri 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Problem(Exception):
    """An answer that is not the page: a status and a sentence for the reader."""

    def __init__(self, status, message="", headers=None):
        super().__init__(message)
        self.status, self.message, self.headers = HTTPStatus(status), message, headers or {}


class Request:
    def __init__(self, method, target, headers, body, address):
        path, _, query = target.partition("?")
        self.method, self.headers, self.body, self.address = method, headers, body, address
        self.path = urllib.parse.unquote(path, errors="strict")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=50))
        self.form = {}
        if headers.get_content_type() == "application/x-www-form-urlencoded":
            self.form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
        self.cookies = {}
        try:
            self.cookies = {name: value.value for name, value in cookies.SimpleCookie(headers.get("Cookie")).items()}
        except cookies.CookieError:
            pass
        self.values, self.user, self.session = {}, None, None
        self.is_secure = headers.get("X-Forwarded-Proto", "").split(",")[0].strip() == "https"

    def field(self, name, most=200, required=True):
        """One line of a form, trimmed; a sentence for the reader where it is missing or too long."""
        value = " ".join(self.form.get(name, "").split())
        if required and not value:
            raise Problem(400, f"Please fill in the {name.replace('_', ' ')}.")
        if len(value) > most or "\x00" in value:
            raise Problem(400, f"The {name.replace('_', ' ')} may have at most {most} characters.")
        return value

    def email(self, name="email"):
        value = self.field(name, 254).lower()
        if not re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+", value):
            raise Problem(400, "Please give an email address, such as ada@example.com.")
        return value

    def json(self):
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as fault:
            raise Problem(400, f"The body is not JSON: {fault}") from None
        if not isinstance(value, dict):
            raise Problem(400, "The body must be a JSON object.")
        return value


class Response:
    def __init__(self, body, status=200, content_type="text/html; charset=utf-8", headers=()):
        self.body = body if isinstance(body, bytes) else body.encode()
        self.status, self.headers = int(status), [("Content-Type", content_type), *headers]

    @staticmethod
    def json(value, status=200, headers=()):
        return Response(json.dumps(value, default=str) + "\n", status, "application/json", headers)

    @staticmethod
    def redirect(location):
        return Response("", 303, headers=[("Location", location)])

    def cookie(self, request, name, value, seconds):
        secure = "; Secure" if request.is_secure else ""
        text = f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        self.headers.append(("Set-Cookie", text))


class Router:
    """Finds what answers a path: `/app/projects/<id>` hands `id` to its function in `request.values`."""

    def __init__(self):
        self.routes = []

    def add(self, method, path, answer):
        pattern = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", path)
        self.routes.append((method, re.compile(pattern), path, answer))

    def find(self, request):
        allowed = set()
        for method, pattern, path, answer in self.routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    request.values = match.groupdict()
                    return path, answer
                allowed.add(method)
        if allowed:
            raise Problem(405, "This page does not take that.", {"Allow": ", ".join(sorted(allowed))})
        raise Problem(404, "There is no page at this address.")


class StaticFiles:
    """The files of one folder, looked up by name in a list made at the start: no request reaches the file system."""

    def __init__(self, folder):
        self.files = {}
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                kind += "; charset=utf-8" if kind.startswith("text/") or kind.endswith("javascript") else ""
                self.files[path.relative_to(folder).as_posix()] = (path.read_bytes(), kind)

    def answer(self, name):
        if name not in self.files:
            raise Problem(404, "There is no file of this name.")
        content, kind = self.files[name]
        return Response(content, 200, kind, [("Cache-Control", "public, max-age=300")])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "application", ""
    timeout = 20
    application = None

    def do_GET(self):
        self.serve("GET")

    def do_HEAD(self):
        self.serve("GET", has_body=False)

    def do_POST(self):
        self.serve("POST")

    def do_DELETE(self):
        self.serve("DELETE")

    def serve(self, method, has_body=True):
        try:
            request = Request(method, self.path, self.headers, self.read_body(), self.client_address[0])
            response = self.application.answer(request)
        except Problem as problem:
            self.close_connection = True
            response = Response(problem.message + "\n", problem.status, "text/plain; charset=utf-8")
        except ValueError:
            self.close_connection = True
            response = Response("The request cannot be read.\n", 400, "text/plain; charset=utf-8")
        self.send_response(response.status)
        names = {name for name, _ in response.headers}
        defaults = {**SECURITY, "Cache-Control": "no-store"}
        for name, value in [*response.headers, *(item for item in defaults.items() if item[0] not in names)]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body:
            self.wfile.write(response.body)

    def read_body(self):
        if "Transfer-Encoding" in self.headers:
            raise Problem(411, "The length of the body is needed.")
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,12}", length):
            raise Problem(400, "The length of the body is no number.")
        if int(length) > MAXIMUM_BODY:
            raise Problem(413, "That is more than this page takes.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Problem(400, "The body is shorter than announced.")
        return body

    def log_message(self, form, *values):
        # The path alone: a query may hold what a reader typed.
        log.info("%s", (form % values).split("?")[0])


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host, port, handler, most=64):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.places = threading.BoundedSemaphore(most)
        super().__init__((host, port), handler)

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Not HTTPServer's own, which asks the name service for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, address):
        if self.places.acquire(timeout=5):
            super().process_request(request, address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, address):
        try:
            super().process_request_thread(request, address)
        finally:
            self.places.release()

    def handle_error(self, request, address):
        log.info("a connection ended early", exc_info=log.isEnabledFor(logging.DEBUG))


def serve(application, host=None, port=None):
    """Listens on $HOST and $PORT until the process is asked to end. Every address, unless $HOST names one."""
    host = host or os.environ.get("HOST") or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")
    port = int(port or os.environ.get("PORT") or 8080)
    handler = type("ApplicationHandler", (Handler,), {"application": application})
    with Server(host, port, handler) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            # From a thread of its own, for shutdown waits for the loop that this signal interrupts.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        log.info("listening on %s port %s", host, server.server_port)
        server.serve_forever(poll_interval=0.2)
