"""Starts the documentation site: reads every page, then serves them."""

import json
import logging
from pathlib import Path

from handbook.library import Library
from handbook.site import Site
from service.web import serve

ROOT = Path(__file__).resolve().parent


def build():
    settings = json.loads((ROOT / "app.json").read_text("utf-8"))
    settings["name"] = " ".join(settings["name"].split())
    return Site(settings, Library(ROOT / "content", settings["sections"]), ROOT / "web")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    serve(build())
