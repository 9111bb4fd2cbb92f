"""The part that is always there: the landing page, the overview, customers and their projects."""

import psycopg2.errors

from service.web import Problem, Response
from app.charts import columns

STATUSES = ("planned", "active", "done")
STRENGTHS = [
    ("Customers in one place", "Who they are, what they bought and what you are doing for them, on one page."),
    ("Projects that move", "Planned, active, done: each project is one click from its next state."),
    ("Yours to keep", "Every record is a row in your own PostgreSQL. Take a dump and you have everything."),
]


def install(site):
    database = site.database
    # What features add to the administrator's overview: functions that make a card.
    site.cards = []
    site.navigation += [
        {"href": "/app", "label": "Overview", "who": "member"},
        {"href": "/app/projects", "label": "Projects", "who": "member"},
        {"href": "/app/customers", "label": "Customers", "who": "admin"}]
    site.settings["strengths"] = [{"title": title, "text": text} for title, text in STRENGTHS]

    def home(request):
        sections = [{**section, "drawing": site.pages.render("picture-" + section["picture"], {})}
                    for section in site.settings["sections"]]
        return site.page(request, "home", is_home=True, sections=sections)

    def mine(request):
        """A condition on customers, and its value: administrators see everybody's."""
        return ("true OR %s IS NULL", None) if request.user["role"] == "admin" else (
            "customers.user_id = %s", request.user["id"])

    def overview(request):
        condition, value = mine(request)
        figures = database.row(
            "SELECT (SELECT count(*) FROM customers) AS customers, count(*) AS projects,"
            " count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE status = 'done') AS done"
            f" FROM projects JOIN customers ON customers.id = customer_id WHERE {condition}", value)
        weeks = database.rows(
            "SELECT to_char(week, 'DD Mon') AS label, (SELECT count(*) FROM projects JOIN customers"
            " ON customers.id = customer_id WHERE date_trunc('week', projects.created_at) = week"
            f" AND ({condition})) AS value FROM generate_series(date_trunc('week', now()) - interval '11 weeks',"
            " date_trunc('week', now()), interval '1 week') AS week", value)
        cards = [{"label": "Projects", "value": figures["projects"], "note": "in all"},
                 {"label": "Active", "value": figures["active"], "note": "being worked on"},
                 {"label": "Done", "value": figures["done"], "note": "finished"}]
        if request.user["role"] == "admin":
            cards.insert(0, {"label": "Customers", "value": figures["customers"], "note": "on record"})
        for card in site.cards if request.user["role"] == "admin" else []:
            cards.append(card())
        return site.page(request, "overview", title="Overview", cards=cards, is_empty=not figures["customers"],
                         chart=columns(weeks, "New projects a week"), recent=projects_of(request, 5))

    def projects_of(request, most=200):
        condition, value = mine(request)
        rows = database.rows(
            "SELECT projects.id, projects.name, status, customers.name AS customer,"
            " to_char(projects.created_at, 'DD Mon YYYY') AS since FROM projects JOIN customers"
            f" ON customers.id = customer_id WHERE {condition} ORDER BY projects.id DESC LIMIT %s", value, most)
        return [{**row, "choices": [{"value": s, "is_chosen": s == row["status"]} for s in STATUSES]} for row in rows]

    def projects(request):
        condition, value = mine(request)
        owners = database.rows(f"SELECT id, name FROM customers WHERE {condition} ORDER BY name LIMIT 500", value)
        return site.page(request, "projects", title="Projects", projects=projects_of(request), owners=owners)

    def project_of(request, cursor):
        condition, value = mine(request)
        cursor.execute(
            "SELECT projects.id, projects.name, customers.email FROM projects JOIN customers"
            f" ON customers.id = customer_id WHERE projects.id = %s AND ({condition})", (number(request), value))
        return cursor.fetchone() or missing("project")

    def add_project(request):
        condition, value = mine(request)
        name, customer = request.field("name", 120), request.form.get("customer", "")
        with database.transaction() as cursor:
            cursor.execute(f"SELECT id, email FROM customers WHERE id = %s AND ({condition})",
                           (int(customer) if customer.isdecimal() and len(customer) < 18 else 0, value))
            owner = cursor.fetchone()
            if not owner:
                raise Problem(400, "Please choose whose project it is.")
            cursor.execute("INSERT INTO projects (customer_id, name) VALUES (%s, %s)", (owner["id"], name))
            site.emit(cursor, "project created", actor=request.user["email"], subject=name, email=owner["email"])
        return Response.redirect("/app/projects")

    def change_project(request):
        status = request.form.get("status")
        if status not in STATUSES:
            raise Problem(400, "A project is planned, active or done.")
        with database.transaction() as cursor:
            project = project_of(request, cursor)
            cursor.execute("UPDATE projects SET status = %s WHERE id = %s", (status, project["id"]))
            site.emit(cursor, f"project {status}", actor=request.user["email"], subject=project["name"],
                      email=project["email"])
        return Response.redirect("/app/projects")

    def remove_project(request):
        with database.transaction() as cursor:
            project = project_of(request, cursor)
            cursor.execute("DELETE FROM projects WHERE id = %s", (project["id"],))
            site.emit(cursor, "project removed", actor=request.user["email"], subject=project["name"],
                      email=project["email"])
        return Response.redirect("/app/projects")

    def customers(request):
        found = database.rows(
            "SELECT customers.*, to_char(created_at, 'DD Mon YYYY') AS since, (SELECT plan FROM subscriptions"
            " WHERE customer_id = customers.id AND ended_at IS NULL) AS plan, (SELECT count(*)"
            " || CASE count(*) WHEN 1 THEN ' project' ELSE ' projects' END FROM projects"
            " WHERE customer_id = customers.id) AS projects FROM customers ORDER BY id DESC LIMIT 200")
        return site.page(request, "customers", title="Customers", customers=found)

    def add_customer(request):
        name, company, email = request.field("name", 120), request.field("company", 120, False), request.email()
        create_customer(site, request.user["email"], name, company, email)
        return Response.redirect("/app/customers")

    def remove_customer(request):
        with database.transaction() as cursor:
            cursor.execute("DELETE FROM customers WHERE id = %s RETURNING name, email", (number(request),))
            customer = cursor.fetchone() or missing("customer")
            site.emit(cursor, "customer removed", actor=request.user["email"], subject=customer["name"])
        return Response.redirect("/app/customers")

    site.install_sign_in("/app")
    site.route("GET", "/", home)
    site.route("GET", "/app", overview, "member")
    site.route("GET", "/app/projects", projects, "member")
    site.route("POST", "/app/projects", add_project, "member")
    site.route("POST", "/app/projects/<id>/status", change_project, "member")
    site.route("POST", "/app/projects/<id>/remove", remove_project, "member")
    site.route("GET", "/app/customers", customers, "admin")
    site.route("POST", "/app/customers", add_customer, "admin")
    site.route("POST", "/app/customers/<id>/remove", remove_customer, "admin")


def create_customer(site, actor, name, company, email):
    try:
        with site.database.transaction() as cursor:
            cursor.execute("INSERT INTO customers (name, company, email) VALUES (%s, %s, %s) RETURNING id",
                           (name, company, email))
            identifier = cursor.fetchone()["id"]
            site.emit(cursor, "customer created", actor=actor, subject=name, email=email)
            return identifier
    except psycopg2.errors.UniqueViolation:
        raise Problem(409, f"There is a customer with the address {email} already.") from None


def number(request):
    text = request.values["id"]
    if not text.isdecimal() or len(text) > 17:
        raise Problem(404, "There is no page at this address.")
    return int(text)


def missing(what):
    raise Problem(404, f"There is no such {what}; it may have been removed.")
