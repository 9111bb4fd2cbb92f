"""Feature analytics_tracking: how often each public page is read, by day. No cookie, no address, no third party."""

import logging

from app.charts import columns


def install(site):
    database = site.database
    site.navigation.append({"href": "/app/analytics", "label": "Analytics", "who": "admin"})
    site.settings["sections"].append({
        "id": "analytics", "title": "Numbers without spying", "picture": "analytics",
        "text": "See which pages are read and when. Only a count for each page and day is kept: nothing about the"
        " reader, so there is nothing to leak and no banner to click away.",
        "href": "/app/analytics", "action": "See the numbers"})

    def count(request, path, who, response):
        if request.method == "GET" and who == "everyone" and response.status == 200 and not path.startswith("/api/"):
            try:
                database.rows(
                    "INSERT INTO page_views (day, path, views) VALUES (current_date, %s, 1)"
                    " ON CONFLICT (day, path) DO UPDATE SET views = page_views.views + 1", path)
            except Exception:
                # A page is worth more than its count.
                logging.getLogger("analytics").exception("a view was not counted")

    def show(request):
        days = database.rows(
            "SELECT to_char(day, 'DD Mon') AS label, coalesce((SELECT sum(views) FROM page_views WHERE"
            " page_views.day = days.day::date), 0)::int AS value FROM generate_series(current_date - 29, current_date,"
            " interval '1 day') AS days (day)")
        paths = database.rows(
            "SELECT path, sum(views)::int AS views FROM page_views WHERE day > current_date - 30"
            " GROUP BY path ORDER BY views DESC LIMIT 20")
        most = paths[0]["views"] if paths else 1
        paths = [{**row, "share": round(row["views"] / most * 100)} for row in paths]
        return site.page(request, "analytics", title="Analytics", chart=columns(days, "Page views a day"), paths=paths,
                         total=sum(row["value"] for row in days), today=days[-1]["value"])

    site.after_page.append(count)
    site.route("GET", "/app/analytics", show, "admin")
