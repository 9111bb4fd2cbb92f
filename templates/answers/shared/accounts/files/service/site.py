"""The application around its pages: who asks, what answers, and what to say when something is wrong."""

import logging
import secrets
import threading

from service.accounts import Accounts, SESSION_SECONDS
from service.database import Database, Unavailable
from service.mustache import Pages
from service.web import Problem, Response, Router, StaticFiles

log = logging.getLogger("site")
ACCENTS = {  # name: (on light, on dark)
    "indigo": ("#4f46e5", "#a5b4fc"), "teal": ("#0f766e", "#5eead4"), "rose": ("#be123c", "#fda4af"),
    "amber": ("#b45309", "#fcd34d"), "violet": ("#7c3aed", "#c4b5fd"), "slate": ("#334155", "#cbd5e1"),
}


class Site:
    """Routes declare who may see them: `everyone`, `member` (signed in) or `admin`. A POST must carry its form token."""

    def __init__(self, settings, root, database_url):
        self.settings, self.root = settings, root
        self.database = Database(database_url)
        self.accounts = Accounts(self.database)
        self.pages = Pages(root / "web" / "pages")
        self.static = StaticFiles(root / "web" / "static")
        self.router, self.navigation, self.listeners = Router(), [], {}
        # Called after each page, and once with a cursor when the tables are there.
        self.after_page, self.preparations = [], []
        self.route("GET", "/health", self.health)
        self.route("GET", "/static/<name>", lambda request: self.static.answer(request.values["name"]))
        self.route("GET", "/theme.css", self.theme)
        self.route("GET", "/favicon.ico", lambda _: Response.redirect("/static/mark.svg"))

    def route(self, method, path, answer, who="everyone", has_form_token=True):
        self.router.add(method, path, (answer, who, has_form_token))

    def on(self, event, listener):
        """Calls `listener(cursor, **facts)` inside the transaction in which the event happens."""
        self.listeners.setdefault(event, []).append(listener)

    def emit(self, cursor, event, **facts):
        for listener in self.listeners.get(event, []) + self.listeners.get("*", []):
            listener(cursor, event=event, **facts)

    def start(self):
        schema = (self.root / "schema.sql").read_text("utf-8")
        steps = [lambda cursor: cursor.execute(schema), self.accounts.prepare, *self.preparations]
        threading.Thread(target=self.database.prepare, args=(steps,), daemon=True).start()

    def health(self, _):
        if not self.database.is_ready.is_set():
            return Response.json({"status": "starting", "database": "not reached yet"}, 503)
        try:
            self.database.row("SELECT 1")
        except Unavailable:
            return Response.json({"status": "failing", "database": "does not answer"}, 503)
        return Response.json({"status": "ok", "database": "ok", "application": self.settings["name"]})

    def theme(self, _):
        light, dark = ACCENTS.get(self.settings.get("accent"), ACCENTS["indigo"])
        css = f":root{{--accent:{light}}}@media(prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}\n"
        return Response(css, 200, "text/css; charset=utf-8", [("Cache-Control", "public, max-age=300")])

    def answer(self, request):
        try:
            path, (answer, who, has_form_token) = self.router.find(request)
            if path in ("/health", "/static/<name>", "/theme.css", "/favicon.ico"):
                return answer(request)
            if not self.database.is_ready.is_set():
                raise Unavailable("starting")
            self.accounts.recognise(request)
            if who != "everyone" and not request.user:
                return Response.redirect("/sign-in")
            if who == "admin" and request.user["role"] != "admin":
                raise Problem(403, "This page is for administrators.")
            if request.method == "POST" and has_form_token:
                self.accounts.check_form(request)
            response = answer(request)
            for listener in self.after_page:
                listener(request, path, who, response)
            return response
        except Problem as problem:
            return self.explain(request, problem)
        except Unavailable as fault:
            log.warning("no database: %s", str(fault).splitlines()[:1])
            return self.explain(request, Problem(
                503, "The database does not answer. Please try again in a moment.", {"Retry-After": "5"}))
        except Exception:
            log.exception("a page failed")
            return self.explain(request, Problem(500, "Something went wrong here. It has been written to the log."))

    def explain(self, request, problem):
        headers = list(problem.headers.items())
        if request.path.startswith("/api/"):
            return Response.json({"error": problem.message}, problem.status, headers)
        response = self.page(request, "problem", title=problem.status.phrase, status=int(problem.status),
                             message=problem.message, back=request.method == "POST")
        response.status = int(problem.status)
        response.headers += headers
        return response

    def page(self, request, name, **context):
        """A page inside the layout; a visitor without a cookie gets one, for the forms on it."""
        visitor = request.cookies.get("visitor", "")
        is_new = len(visitor) != 32
        if is_new:
            request.cookies["visitor"] = visitor = secrets.token_hex(16)
        user = request.user
        shown = [
            {**entry, "is_current": request.path == entry["href"]} for entry in self.navigation
            if entry["who"] == "everyone" or user and (entry["who"] == "member" or user["role"] == "admin")]
        context = {
            "site": self.settings, "user": user, "is_admin": bool(user and user["role"] == "admin"),
            "is_app": bool(user) and request.path.startswith(("/app", "/admin")),
            "form_token": self.accounts.form_token(request), "title": self.settings["name"],
            "public_navigation": [entry for entry in shown if entry["who"] == "everyone"],
            "navigation": [entry for entry in shown if entry["who"] != "everyone"], **context}
        context["content"] = self.pages.render(name, context)
        response = Response(self.pages.render("layout", context))
        if is_new:
            response.cookie(request, "visitor", visitor, 365 * 24 * 3600)
        return response

    def install_sign_in(self, home):
        """The sign-in and sign-out pages; `home` is where a signed-in reader goes."""
        def show(request, email="", problem=None):
            if request.user:
                return Response.redirect(home)
            response = self.page(request, "sign-in", title="Sign in", email=email, problem=problem)
            return response

        def send(request):
            email = request.email()
            try:
                token = self.accounts.sign_in(request, email, request.form.get("password", "")[:200])
            except Problem as problem:
                response = show(request, email, problem.message)
                response.status, response.headers = int(problem.status), response.headers + list(problem.headers.items())
                return response
            return self.signed_in(request, token, home)

        def leave(request):
            self.database.rows("DELETE FROM sessions WHERE id = %s", request.session)
            response = Response.redirect("/")
            response.cookie(request, "session", "", 0)
            return response

        self.route("GET", "/sign-in", show)
        self.route("POST", "/sign-in", send)
        self.route("POST", "/sign-out", leave, "member")

    def signed_in(self, request, token, home):
        response = Response.redirect(home)
        response.cookie(request, "session", token, SESSION_SECONDS)
        return response
