"""Mustache, the part that these pages use: {{text}}, {{{markup}}}, {{#list}}, {{^empty}}, {{>partial}}, {{.}}."""

import html
import re
from pathlib import Path

TAG = re.compile(r"(?P<indent>^[ \t]*)?\{\{(?:\{(?P<raw>[^}]+)\}|(?P<kind>[#^/>!]?)(?P<name>[^}]*))\}\}(?(indent)\n?)", re.M)


class Pages:
    """The pages of a folder, each parsed once."""

    def __init__(self, *folders):
        self.pages = {}
        for folder in folders:
            for path in sorted(Path(folder).glob("*.html")):
                self.pages[path.stem] = parse(path.read_text("utf-8"), path.name)

    def render(self, name, context):
        pieces = []
        self.write(self.pages[name], [context], pieces)
        return "".join(pieces)

    def write(self, nodes, stack, pieces):
        for kind, value, inner in nodes:
            if kind == "text":
                pieces.append(value)
            elif kind == ">":
                self.write(self.pages[value], stack, pieces)
            else:
                found = look_up(value, stack)
                if kind == "raw":
                    pieces.append(shown(found))
                elif kind == "":
                    pieces.append(html.escape(shown(found)))
                elif kind == "^":
                    if not found:
                        self.write(inner, stack, pieces)
                elif isinstance(found, (list, tuple)):
                    for element in found:
                        self.write(inner, [*stack, element], pieces)
                elif found:
                    self.write(inner, [*stack, found], pieces)


def shown(value):
    return "" if value is None or value is False else str(value)


def look_up(name, stack):
    if name == ".":
        return stack[-1]
    first, *rest = name.split(".")
    for scope in reversed(stack):
        if isinstance(scope, dict) and first in scope:
            value = scope[first]
            for part in rest:
                value = value.get(part) if isinstance(value, dict) else None
            return value
    return None


def parse(text, page):
    root, open_sections, end = [], [], 0
    nodes = root
    for tag in TAG.finditer(text):
        kind, name = ("raw", tag["raw"]) if tag["raw"] else (tag["kind"], tag["name"])
        stands_alone = kind in "#^/!" and kind and tag["indent"] is not None and tag[0].endswith("\n")
        # A tag alone on its line leaves no line behind; elsewhere the space around it is text.
        start = tag.start() if stands_alone else tag.start() + len(tag["indent"] or "")
        if start > end:
            nodes.append(("text", text[end:start], None))
        end = tag.end() - (0 if stands_alone or not tag[0].endswith("\n") else 1)
        name = name.strip()
        if kind in ("#", "^"):
            inner = []
            nodes.append((kind, name, inner))
            open_sections.append((name, nodes))
            nodes = inner
        elif kind == "/":
            if not open_sections or open_sections[-1][0] != name:
                raise ValueError(f"{page}: {{{{/{name}}}}} closes nothing")
            nodes = open_sections.pop()[1]
        elif kind != "!":
            nodes.append((kind, name, None))
    if open_sections:
        raise ValueError(f"{page}: {{{{#{open_sections[-1][0]}}}}} is not closed")
    nodes.append(("text", text[end:], None))
    return root
