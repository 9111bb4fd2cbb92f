"""Starts the shop: its settings, the catalogue of the chosen theme, the pages and the server."""

import json
import logging
import os
from pathlib import Path

from service.site import Site
from service.web import serve
from shop import counter, storefront
from shop.pictures import picture

ROOT = Path(__file__).resolve().parent
SECTIONS = ("how_it_works", "story", "questions", "newsletter")
SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def settings():
    given = json.loads((ROOT / "app.json").read_text("utf-8"))
    themes = json.loads((ROOT / "catalogue.json").read_text("utf-8"))
    name, chosen = " ".join(given["name"].split()), {section.strip() for section in given["sections"].split(",")}
    theme = given["theme"] if given["theme"] in themes else "coffee"
    return {**given, "name": name, "initial": name[:1].upper(), "theme": theme, "catalogue": themes[theme],
            "sign": SIGNS.get(given["currency"], "$"), "hero": picture(theme, 1),
            "has": {section: True for section in SECTIONS if section in chosen}}


def build(database_url):
    site = Site(settings(), ROOT, database_url)
    storefront.install(site)
    counter.install(site)
    return site


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    application = build(os.environ["DATABASE_URL"])
    application.start()
    serve(application)
