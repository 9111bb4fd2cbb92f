"""Starts the application: its settings, the pages of the chosen features, and the server."""

import importlib
import importlib.util
import json
import logging
import os
from pathlib import Path

from service.site import Site
from service.web import serve

ROOT = Path(__file__).resolve().parent
# Each feature is a module with `install(site)`; a feature that was not chosen is not even imported.
MODULES = {
    "user_authentication": "app.people", "subscription_billing": "app.billing",
    "admin_dashboard": "app.administration", "email_notifications": "app.outbox",
    "api_endpoints": "app.api", "analytics_tracking": "app.analytics",
}


def settings():
    given = json.loads((ROOT / "app.json").read_text("utf-8"))
    chosen = {name.strip() for name in given["features"].split(",")}
    features = [name for name, module in MODULES.items() if name in chosen and importlib.util.find_spec(module)]
    name = " ".join(given["name"].split())
    return {**given, "name": name, "initial": name[:1].upper(), "features": features,
            "has": {feature: True for feature in features}}


def build(database_url):
    site = Site(settings(), ROOT, database_url)
    site.settings["sections"] = []
    for module in ["app.workspace", *(MODULES[name] for name in site.settings["features"])]:
        importlib.import_module(module).install(site)
    return site


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    application = build(os.environ["DATABASE_URL"])
    application.start()
    serve(application)
