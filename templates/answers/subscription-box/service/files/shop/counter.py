"""Behind the sign-in: orders to pack and send, prices, and what is to be had."""

import re

from service.web import Problem, Response
from shop.storefront import CALLED

STATUSES = ("new", "packed", "sent", "cancelled")


def install(site):
    database = site.database
    site.navigation += [{"href": "/admin/orders", "label": "Orders", "who": "admin"},
                        {"href": "/admin/boxes", "label": "Boxes", "who": "admin"}]

    def orders(request):
        wanted = request.query.get("status", "")
        if wanted and wanted not in STATUSES:
            raise Problem(400, "An order is new, packed, sent or cancelled.")
        found = database.rows(
            "SELECT orders.*, to_char(created_at, 'DD Mon, HH24:MI') AS time, (SELECT json_agg(json_build_object("
            "'name', boxes.name, 'quantity', quantity, 'rhythm', rhythm) ORDER BY position) FROM order_lines"
            " JOIN boxes ON slug = box WHERE order_id = orders.id) AS lines FROM orders"
            " WHERE %s = '' OR status = %s ORDER BY id DESC LIMIT 200", wanted, wanted)
        for order in found:
            order["total"] = site.money(order["total_cents"])
            order["choices"] = [{"value": s, "is_chosen": s == order["status"]} for s in STATUSES]
            for line in order["lines"] or []:
                line["called"] = CALLED.get(line["rhythm"], line["rhythm"])
        figures = database.row(
            "SELECT count(*) AS orders, count(*) FILTER (WHERE status = 'new') AS waiting, coalesce(sum(total_cents)"
            " FILTER (WHERE status <> 'cancelled'), 0)::bigint AS revenue, (SELECT count(*) FROM readers) AS readers"
            " FROM orders")
        cards = [{"label": "Orders", "value": figures["orders"], "note": "in all"},
                 {"label": "To pack", "value": figures["waiting"], "note": "new"},
                 {"label": "Ordered", "value": site.money(figures["revenue"]), "note": "without cancelled"}]
        if "newsletter" in site.settings["has"]:
            cards.append({"label": "Readers", "value": figures["readers"], "note": "of the letter"})
        filters = [{"label": label or "all", "href": "/admin/orders" + (f"?status={label}" if label else ""),
                    "is_current": label == wanted} for label in ("", *STATUSES)]
        return site.page(request, "orders", title="Orders", orders=found, cards=cards, filters=filters)

    def move(request):
        status, number = request.form.get("status"), request.values["id"]
        if status not in STATUSES or not re.fullmatch(r"[0-9]{1,17}", number):
            raise Problem(400, "An order is new, packed, sent or cancelled.")
        if not database.row("UPDATE orders SET status = %s WHERE id = %s RETURNING id", status, int(number)):
            raise Problem(404, "There is no such order.")
        return Response.redirect("/admin/orders")

    def boxes(request):
        found = database.rows(
            "SELECT slug, name, line, price_cents, is_available, (SELECT coalesce(sum(quantity), 0) FROM order_lines"
            " WHERE box = slug) AS sold FROM boxes ORDER BY position")
        for box in found:
            box["price"] = f"{box['price_cents'] / 100:.2f}"
        return site.page(request, "boxes", title="Boxes", boxes=found)

    def change(request):
        price = request.field("price", 10).replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,2})?", price) or float(price) <= 0:
            raise Problem(400, "A price is a number above nothing, such as 14.50.")
        whole, _, part = price.partition(".")
        if not database.row("UPDATE boxes SET price_cents = %s, is_available = %s WHERE slug = %s RETURNING slug",
                            int(whole) * 100 + int(part.ljust(2, "0")), "is_available" in request.form,
                            request.values["slug"]):
            raise Problem(404, "There is no such box.")
        return Response.redirect("/admin/boxes")

    site.install_sign_in("/admin/orders")
    site.route("GET", "/admin", lambda _: Response.redirect("/admin/orders"), "admin")
    site.route("GET", "/admin/orders", orders, "admin")
    site.route("POST", "/admin/orders/<id>", move, "admin")
    site.route("GET", "/admin/boxes", boxes, "admin")
    site.route("POST", "/admin/boxes/<slug>", change, "admin")
