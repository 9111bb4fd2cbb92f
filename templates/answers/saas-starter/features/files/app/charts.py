"""Charts as inline SVG: real text, readable without colour, no script."""

import html


def columns(rows, title):
    """A column for each row of `label` and `value`; a sentence instead where there is nothing to draw yet."""
    highest = max((row["value"] for row in rows), default=0)
    if not highest:
        return '<p class="quiet">Nothing to draw yet. The chart fills as records come in.</p>'
    width, height, base = 720, 190, 160
    step = width / len(rows)
    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">',
             f'<line x1="0" y1="{base}" x2="{width}" y2="{base}" class="axis"/>']
    every = max(1, len(rows) // 6)
    peak = next(place for place, row in enumerate(rows) if row["value"] == highest)
    for place, row in enumerate(rows):
        size, x = row["value"] / highest * 130, place * step
        label = html.escape(str(row["label"]))
        parts.append(
            f'<rect x="{x + step * 0.14:.1f}" y="{base - size:.1f}" width="{step * 0.72:.1f}" height="{size:.1f}" rx="3">'
            f"<title>{label}: {row['value']}</title></rect>")
        if place % every == 0:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{base + 20}" text-anchor="middle">{label}</text>')
        if place == peak:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{base - size - 8:.1f}" text-anchor="middle"'
                         f' class="strong">{row["value"]}</text>')
    return "".join(parts) + "</svg>"
