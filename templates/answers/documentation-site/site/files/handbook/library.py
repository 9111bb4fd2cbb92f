"""The pages of the handbook, read once, and the search through them."""

import html
import logging
import re
from pathlib import Path

from handbook.markdown import render

log = logging.getLogger("library")
SECTIONS = {"getting_started": "Getting started", "guides": "Guides", "reference": "Reference", "faq": "Questions",
            "changelog": "Changes"}


class Page:
    def __init__(self, path):
        head, _, self.source = path.read_text("utf-8").partition("\n\n")
        facts = dict(line.split(": ", 1) for line in head.split("\n") if ": " in line)
        try:
            self.title, self.section, self.summary = facts["title"], facts["section"], facts["summary"]
            self.order = int(facts["order"])
        except (KeyError, ValueError) as fault:
            raise ValueError(f"{path.name}: the first lines need title, section, order and summary ({fault})") from None
        self.address = "/" + path.stem
        self.html, self.headings = render(self.source)
        plain = re.sub(r"</?(?:a|code|em|strong)[^>]*>", "", re.sub(r'<a class="anchor".*?</a>', "", self.html))
        self.text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", plain))).strip()
        self.words = {"title": self.title.lower(), "near": " ".join(
            [self.summary, *(text for _, _, text in self.headings)]).lower(), "text": self.text.lower()}

    def score(self, words):
        """How well the page fits; 0 where it lacks one of the words."""
        total = 0
        for word in words:
            pattern = re.compile(r"\b" + re.escape(word))
            found = (12 * bool(pattern.search(self.words["title"])) + 5 * bool(pattern.search(self.words["near"]))
                     + min(4, len(pattern.findall(self.words["text"]))))
            if not found:
                return 0
            total += found
        return total

    def excerpt(self, words, length=150):
        """The text around the first word that is found, with what was found marked."""
        found = re.search(r"\b(?:" + "|".join(map(re.escape, words)) + ")", self.text, re.I) if words else None
        if not found:
            return html.escape(self.summary)
        start = self.text.rfind(" ", 0, max(0, found.start() - 40)) + 1
        end = start + length
        if end < len(self.text):
            end = self.text.rfind(" ", start, end)
        text = ("… " if start else "") + self.text[start:end] + (" …" if end < len(self.text) else "")
        marked = "|".join(re.escape(html.escape(word)) for word in words)
        return re.sub(rf"\b({marked})", r"<mark>\1</mark>", html.escape(text), flags=re.I)


class Library:
    def __init__(self, folder, sections):
        chosen = {section.strip() for section in sections.split(",")}
        self.names = [section for section in SECTIONS if section in chosen]
        pages = [Page(path) for path in sorted(Path(folder).glob("*.md"))]
        for page in pages:
            if page.section not in self.names:
                log.info("%s is left out: the section %s is not switched on", page.address, page.section)
        self.pages = sorted((page for page in pages if page.section in self.names),
                            key=lambda page: (self.names.index(page.section), page.order, page.address))
        self.by_address = {page.address: page for page in self.pages}
        hidden = {page.address for page in pages} - set(self.by_address)
        for page in self.pages:
            # A link to a page that is left out keeps its words.
            page.html = re.sub(r'<a href="(/[\w-]+)">(.*?)</a>', lambda m: m[2] if m[1] in hidden else m[0], page.html)

    def sections(self, current=None):
        return [{"title": SECTIONS[name], "pages": [
            {"title": page.title, "address": page.address, "summary": page.summary, "is_current": page is current}
            for page in self.pages if page.section == name]} for name in self.names]

    def neighbours(self, page):
        place = self.pages.index(page)
        return (self.pages[place - 1] if place else None,
                self.pages[place + 1] if place + 1 < len(self.pages) else None)

    def search(self, query, most=8):
        words = re.findall(r"[^\W_]+", query.lower())[:8]
        scored = [(page.score(words), page) for page in self.pages] if words else []
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])[:most]
        return [{"title": page.title, "address": page.address, "section": SECTIONS[page.section],
                 "summary": page.summary, "excerpt": page.excerpt(words)} for _, page in best]
