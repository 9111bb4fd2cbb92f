"""Markdown to HTML: the part that the handbook uses. Everything is escaped; a page cannot bring markup of its own."""

import html
import re

INLINE = re.compile(r"(`+)(?P<code>.+?)\1|\*\*(?P<strong>.+?)\*\*|\*(?P<em>[^*\s][^*]*)\*|\[(?P<text>[^\]]+)\]\((?P<to>[^)\s]+)\)")
ITEM = re.compile(r"(?:-|(\d+)\.) +(.*)")


def slug(text):
    return re.sub(r"[^\w]+", "-", re.sub(r"[`*]", "", text).lower()).strip("-")


def inline(text):
    def replace(match):
        if match["code"] is not None:
            return f"<code>{html.escape(match['code'])}</code>"
        if match["strong"] is not None:
            return f"<strong>{inline(match['strong'])}</strong>"
        if match["em"] is not None:
            return f"<em>{inline(match['em'])}</em>"
        # Only addresses of this site and of the web; nothing that a browser would run.
        if re.match(r"/(?!/)|#|https?://", match["to"]):
            return f'<a href="{html.escape(match["to"])}">{inline(match["text"])}</a>'
        return html.escape(match[0])
    pieces, end = [], 0
    for match in INLINE.finditer(text):
        pieces += [html.escape(text[end:match.start()]), replace(match)]
        end = match.end()
    return "".join(pieces) + html.escape(text[end:])


def render(text):
    """The HTML of a page, and its headings: (level, address, text)."""
    lines, out, headings, seen, at = text.split("\n"), [], [], {}, 0

    def take(condition):
        nonlocal at
        first = at
        while at < len(lines) and condition(lines[at]):
            at += 1
        return lines[first:at]

    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            at += 1
            code = take(lambda each: not each.startswith("```"))
            at += 1
            language = html.escape(line[3:].strip())
            out.append(f'<pre data-language="{language}"><code>{html.escape(chr(10).join(code))}</code></pre>')
        elif match := re.match(r"(#{2,4}) +(.+)", line):
            at += 1
            level, name = len(match[1]), slug(match[2])
            seen[name] = seen.get(name, 0) + 1
            name += "" if seen[name] == 1 else f"-{seen[name]}"
            headings.append((level, name, re.sub(r"[`*]", "", match[2])))
            out.append(f'<h{level} id="{name}">{inline(match[2])} <a class="anchor" href="#{name}" aria-label="Link">#</a></h{level}>')
        elif line.startswith(">"):
            quoted = [re.sub(r"^> ?", "", each) for each in take(lambda each: each.startswith(">"))]
            out.append(f"<blockquote>{render(chr(10).join(quoted))[0]}</blockquote>")
        elif line.startswith("|"):
            rows = [[cell.strip() for cell in row.strip().strip("|").split("|")]
                    for row in take(lambda each: each.startswith("|"))]
            has_head = len(rows) > 1 and all(re.fullmatch(r":?-+:?", cell) for cell in rows[1])
            head = "".join(f"<th>{inline(cell)}</th>" for cell in rows[0]) if has_head else ""
            body = "".join("<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>"
                           for row in rows[2 if has_head else 0:])
            out.append(f'<div class="scroll"><table>{f"<thead><tr>{head}</tr></thead>" if head else ""}<tbody>{body}</tbody></table></div>')
        elif match := ITEM.match(line):
            kind, items = ("ol" if match[1] else "ul"), []
            for each in take(lambda each: ITEM.match(each) or each.startswith("  ") and each.strip()):
                found = ITEM.match(each)
                if found:
                    items.append(found[2])
                else:
                    items[-1] += " " + each.strip()
            out.append(f"<{kind}>" + "".join(f"<li>{inline(item)}</li>" for item in items) + f"</{kind}>")
        else:
            text_lines = take(lambda each: each.strip() and not re.match(r"```|#{2,4} |>|\||- |\d+\. ", each))
            # A line that only looks like the beginning of something else is text, or this would never end.
            out.append(f"<p>{inline(' '.join(text_lines) or lines[at])}</p>")
            at += 0 if text_lines else 1
    return "\n".join(out), headings
