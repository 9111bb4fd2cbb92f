"""A drawing of each box: an open carton in one of three colours, with what the theme puts into it."""

GROUNDS = [("#f1e3d3", "#b98b5e", "#9c7048"), ("#dfe8e0", "#7d9a84", "#648069"), ("#e6e1ec", "#94869f", "#796c86")]


def coffee(x, place):
    tone = ("#5b3a29", "#2f4a45", "#7a4f3a")[place % 3]
    return (f'<path d="M{x - 36} 218v-96l10-12h52l10 12v96z" fill="{tone}"/><path d="M{x - 26} 110h52l6-12h-64z" fill="#3b2a20"/>'
            f'<ellipse cx="{x}" cy="160" rx="13" ry="18" fill="#f4e9dc"/>'
            f'<path d="M{x} 143c-7 10 7 22 0 34" stroke="{tone}" stroke-width="3" fill="none"/>')


def tea(x, place):
    tone = ("#3f6b52", "#b8863b", "#8b4a4a")[place % 3]
    return (f'<rect x="{x - 34}" y="120" width="68" height="100" rx="6" fill="{tone}"/>'
            f'<rect x="{x - 37}" y="106" width="74" height="20" rx="6" fill="#2b2b2b" opacity=".75"/>'
            f'<path d="M{x} 192c-26-16-20-42 0-54 20 12 26 38 0 54z" fill="#f3ecdd"/>'
            f'<path d="M{x} 190v-44" stroke="{tone}" stroke-width="2.5"/>')


def books(x, place):
    tone, top = ("#8c3f3a", "#2f4b6b", "#c08a3e")[place % 3], (96, 116, 84)[place % 3]
    return (f'<rect x="{x - 26}" y="{top}" width="52" height="{222 - top}" rx="4" fill="{tone}"/>'
            f'<rect x="{x - 26}" y="{top + 16}" width="52" height="5" fill="#f5ead9" opacity=".8"/>'
            f'<rect x="{x - 14}" y="{top + 34}" width="28" height="34" rx="2" fill="#f5ead9"/>')


def garden(x, place):
    top = (104, 76, 120)[place % 3]
    return (f'<path d="M{x} 222V{top}" stroke="#4d7a4f" stroke-width="6" stroke-linecap="round"/>'
            f'<path d="M{x} {top + 30}c-34 4-46-18-42-36 26-2 44 12 42 36zM{x} {top + 58}c34 4 46-18 42-36-26-2-44 12-42 36z"'
            f' fill="#6ea36f"/><circle cx="{x}" cy="{top}" r="16" fill="{("#e8b44c", "#d9776b", "#f0e6d2")[place % 3]}"/>'
            f'<circle cx="{x}" cy="{top}" r="6" fill="#7a4f2a"/>')


CONTENTS = {"coffee": coffee, "tea": tea, "books": books, "garden": garden}


def picture(theme, place):
    """The drawing of the box at a place in the catalogue: the further along, the more is in it."""
    ground, side, edge = GROUNDS[place % 3]
    count = place % 3 + 1
    middles = {1: [200], 2: [158, 242], 3: [122, 200, 278]}[count]
    things = "".join(CONTENTS[theme](x, place + number) for number, x in enumerate(middles))
    return (
        f'<svg viewBox="0 0 400 400" class="picture" aria-hidden="true"><rect width="400" height="400" fill="{ground}"/>'
        f'<ellipse cx="200" cy="338" rx="150" ry="14" fill="#000" opacity=".07"/>'
        f'<path d="M78 214h244v-22H78z" fill="{edge}"/><path d="M78 192L40 168l20-16 42 40zM322 192l38-24-20-16-42 40z" fill="{edge}"/>'
        f'{things}<path d="M70 206h260l-14 130H84z" fill="{side}"/><path d="M70 206h260l-2 16H72z" fill="{edge}" opacity=".6"/>'
        f'<rect x="160" y="250" width="80" height="46" rx="4" fill="#fffaf2"/>'
        f'<path d="M174 268h52M174 280h34" stroke="{edge}" stroke-width="4" stroke-linecap="round"/></svg>')
