"""The site around the pages: addresses, layout, search and what to say when something is not there."""

import html
import logging
import re

from service.mustache import Pages
from service.web import Problem, Response, Router, StaticFiles

log = logging.getLogger("site")
ACCENTS = {  # name: (on light, on dark)
    "indigo": ("#4f46e5", "#a5b4fc"), "teal": ("#0f766e", "#5eead4"), "rose": ("#be123c", "#fda4af"),
    "amber": ("#b45309", "#fcd34d"), "violet": ("#7c3aed", "#c4b5fd"), "slate": ("#334155", "#cbd5e1"),
}


class Site:
    def __init__(self, settings, library, web):
        self.settings, self.library = settings, library
        self.pages, self.static, self.router = Pages(web / "pages"), StaticFiles(web / "static"), Router()
        for path, answer in (
                ("/", self.home), ("/health", self.health), ("/search", self.search), ("/search.json", self.suggest),
                ("/sitemap.xml", self.sitemap), ("/theme.css", self.theme),
                ("/favicon.ico", lambda _: Response.redirect("/static/mark.svg")),
                ("/static/<name>", lambda request: self.static.answer(request.values["name"])), ("/<page>", self.page)):
            self.router.add("GET", path, answer)

    def answer(self, request):
        try:
            return self.router.find(request)[1](request)
        except Problem as problem:
            response = self.show("problem", title=problem.status.phrase, message=problem.message,
                                 status=int(problem.status))
            response.status = int(problem.status)
            response.headers += list(problem.headers.items())
            return response
        except Exception:
            log.exception("a page failed")
            return Response("Something went wrong here. It has been written to the log.\n", 500, "text/plain")

    def show(self, name, current=None, **context):
        context = {"site": self.settings, "sections": self.library.sections(current), **context}
        context["content"] = self.pages.render(name, context)
        return Response(self.pages.render("layout", context))

    def home(self, _):
        first = self.library.pages[0].address if self.library.pages else None
        return self.show("home", title=self.settings["name"], is_home=True, first=first, count=len(self.library.pages))

    def page(self, request):
        page = self.library.by_address.get("/" + request.values["page"])
        if not page:
            raise Problem(404, "There is no page at this address. The search may know where it went.")
        before, after = self.library.neighbours(page)
        headings = [{"address": name, "text": text, "is_deep": level > 2} for level, name, text in page.headings]
        return self.show("page", page, title=page.title, summary=page.summary, html=page.html, headings=headings,
                         section=next(s["title"] for s in self.library.sections(page) if any(
                             p["is_current"] for p in s["pages"])),
                         before=before and {"title": before.title, "address": before.address},
                         after=after and {"title": after.title, "address": after.address})

    def query(self, request):
        return request.query.get("q", "")[:100]

    def search(self, request):
        query = self.query(request)
        return self.show("search", title="Search", query=query, found=self.library.search(query, 20))

    def suggest(self, request):
        return Response.json({"found": self.library.search(self.query(request))})

    def sitemap(self, request):
        host = re.sub(r"[^\w.:\[\]-]", "", request.headers.get("Host", "localhost"))
        base = ("https://" if request.is_secure else "http://") + host
        urls = "".join(f"<url><loc>{html.escape(base + page.address)}</loc></url>" for page in self.library.pages)
        return Response('<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
                        f"{urls}</urlset>\n", 200, "application/xml")

    def theme(self, _):
        light, dark = ACCENTS.get(self.settings.get("accent"), ACCENTS["indigo"])
        css = f":root{{--accent:{light}}}@media(prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}\n"
        return Response(css, 200, "text/css; charset=utf-8", [("Cache-Control", "public, max-age=300")])

    def health(self, _):
        return Response.json({"status": "ok", "pages": len(self.library.pages), "application": self.settings["name"]})
