"""What customers see: the boxes, the cart, and the order."""

import secrets

from psycopg2.extras import execute_values

from service.web import Problem, Response
from shop.pictures import picture

RHYTHMS = ("month", "two months", "once")
CALLED = {"month": "every month", "two months": "every two months", "once": "once"}


def install(site):
    database, settings = site.database, site.settings
    site.navigation += [{"href": "/#boxes", "label": "Boxes", "who": "everyone"},
                        {"href": "/cart", "label": "Cart", "who": "everyone"}]
    if "how_it_works" in settings["has"]:
        site.navigation.insert(1, {"href": "/#how", "label": "How it works", "who": "everyone"})

    def seed(cursor):
        for place, box in enumerate(settings["catalogue"]["boxes"]):
            cursor.execute(
                "INSERT INTO boxes (slug, position, name, line, story, contents, price_cents)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (slug) DO NOTHING",
                (box["slug"], place, box["name"], box["line"], box["story"], box["contents"], box["price"]))

    def money(cents):
        return f"{settings['sign']}{cents // 100:,}.{cents % 100:02d}"

    def with_picture(box):
        return {**box, "price": money(box["price_cents"]), "picture": picture(settings["theme"], box["position"])}

    def home(request, thanks=False):
        boxes = database.rows("SELECT * FROM boxes WHERE is_available ORDER BY position")
        return site.page(request, "home", is_home=True, boxes=[with_picture(box) for box in boxes], thanks=thanks)

    def box_page(request):
        box = database.row("SELECT * FROM boxes WHERE slug = %s", request.values["slug"])
        if not box:
            raise Problem(404, "There is no such box; it may have had another name.")
        return site.page(request, "box", title=box["name"], box=with_picture(box),
                         rhythms=[{"value": rhythm, "label": CALLED[rhythm], "is_first": rhythm == RHYTHMS[0]}
                                  for rhythm in RHYTHMS])

    def visitor(request):
        return request.cookies.get("visitor", "")

    def lines(key, cursor=None):
        sql = ("SELECT slug, name, position, rhythm, quantity, price_cents, price_cents * quantity AS sum_cents,"
               " is_available FROM cart_lines JOIN boxes ON boxes.slug = box WHERE visitor = %s ORDER BY at, rhythm")
        if cursor:
            cursor.execute(sql, (key,))
            return cursor.fetchall()
        return database.rows(sql, key)

    def shown(found):
        return [{**line, "called": CALLED[line["rhythm"]], "price": money(line["price_cents"]),
                 "sum": money(line["sum_cents"]), "picture": picture(settings["theme"], line["position"])}
                for line in found]

    def add(request):
        rhythm, box = request.form.get("rhythm", "month"), request.form.get("box", "")
        if rhythm not in RHYTHMS:
            raise Problem(400, "A box comes every month, every two months, or once.")
        with database.transaction() as cursor:
            # Carts that nobody came back to make room.
            cursor.execute("DELETE FROM cart_lines WHERE at < now() - interval '30 days'")
            cursor.execute(
                "INSERT INTO cart_lines (visitor, box, rhythm, quantity) SELECT %s, slug, %s, 1 FROM boxes WHERE slug = %s"
                " AND is_available ON CONFLICT (visitor, box, rhythm) DO UPDATE"
                " SET quantity = least(cart_lines.quantity + 1, 20) RETURNING box", (visitor(request), rhythm, box))
            if not cursor.fetchone():
                raise Problem(409, "This box is not to be had at the moment.")
        return Response.redirect("/cart")

    def change(request):
        quantity = request.form.get("quantity", "")
        if not quantity.isdecimal() or not 0 <= int(quantity[:4]) <= 20:
            raise Problem(400, "Between 0 and 20 of each box, please.")
        where = (visitor(request), request.form.get("box", ""), request.form.get("rhythm", ""))
        if int(quantity) == 0:
            database.rows("DELETE FROM cart_lines WHERE visitor = %s AND box = %s AND rhythm = %s", *where)
        else:
            database.rows("UPDATE cart_lines SET quantity = %s WHERE visitor = %s AND box = %s AND rhythm = %s",
                          int(quantity), *where)
        return Response.redirect("/cart")

    def cart(request, problem=None, given=None):
        found = lines(visitor(request))
        return site.page(request, "cart", title="Cart", lines=shown(found), problem=problem, given=given or {},
                         total=money(sum(line["sum_cents"] for line in found)))

    def order(request):
        try:
            facts = [request.field("name", 120), request.email(), request.field("street", 160),
                     request.field("city", 120), request.field("country", 80)]
        except Problem as problem:
            response = cart(request, problem.message, {name: value[:254] for name, value in request.form.items()})
            response.status = int(problem.status)
            return response
        key = secrets.token_urlsafe(18)
        with database.transaction() as cursor:
            # Locked, so that a second click finds the cart empty and orders nothing.
            cursor.execute("SELECT 1 FROM cart_lines WHERE visitor = %s FOR UPDATE", (visitor(request),))
            found = lines(visitor(request), cursor)
            if not found:
                raise Problem(409, "The cart is empty; the order may have gone through already.")
            if not all(line["is_available"] for line in found):
                raise Problem(409, "A box in the cart is no longer to be had. Please take it out and order again.")
            cursor.execute(
                "INSERT INTO orders (key, name, email, street, city, country, total_cents)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
                (key, *facts, sum(line["sum_cents"] for line in found)))
            number = cursor.fetchone()["id"]
            execute_values(
                cursor, "INSERT INTO order_lines (order_id, box, rhythm, quantity, price_cents) VALUES %s",
                [(number, line["slug"], line["rhythm"], line["quantity"], line["price_cents"]) for line in found])
            cursor.execute("DELETE FROM cart_lines WHERE visitor = %s", (visitor(request),))
        return Response.redirect("/orders/" + key)

    def order_page(request):
        found = database.row("SELECT *, to_char(created_at, 'DD Mon YYYY') AS day FROM orders WHERE key = %s",
                             request.values["key"])
        if not found:
            raise Problem(404, "There is no such order.")
        bought = database.rows(
            "SELECT name, position, rhythm, quantity, order_lines.price_cents,"
            " order_lines.price_cents * quantity AS sum_cents FROM order_lines JOIN boxes ON slug = box"
            " WHERE order_id = %s ORDER BY position", found["id"])
        return site.page(request, "order", title=f"Order {found['id']}", order=found, lines=shown(bought),
                         total=money(found["total_cents"]))

    def subscribe(request):
        database.rows("INSERT INTO readers (email) VALUES (%s) ON CONFLICT DO NOTHING", request.email())
        return home(request, thanks=True)

    site.money = money
    site.preparations.append(seed)
    site.route("GET", "/", home)
    site.route("GET", "/boxes/<slug>", box_page)
    site.route("GET", "/cart", cart)
    site.route("POST", "/cart", add)
    site.route("POST", "/cart/change", change)
    site.route("POST", "/orders", order)
    site.route("GET", "/orders/<key>", order_page)
    if "newsletter" in settings["has"]:
        site.route("POST", "/letter", subscribe)
