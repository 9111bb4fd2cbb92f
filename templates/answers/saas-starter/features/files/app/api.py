"""Feature api_endpoints: customers, projects and subscriptions as JSON, behind tokens that an administrator makes."""

import re
import secrets

from app.workspace import create_customer, missing, number
from service.accounts import digest
from service.web import Problem, Response

LISTS = {
    "customers": "SELECT id, name, company, email, created_at FROM customers",
    "projects": "SELECT id, customer_id, name, status, created_at FROM projects",
    "subscriptions": "SELECT id, customer_id, plan, monthly_cents, started_at, ended_at FROM subscriptions",
}


def install(site):
    database = site.database
    site.navigation += [{"href": "/docs/api", "label": "API", "who": "everyone"},
                        {"href": "/app/tokens", "label": "API tokens", "who": "admin"}]
    site.settings["sections"].append({
        "id": "api", "title": "An API from the first day", "picture": "api",
        "text": "Everything the pages show is JSON under /api/v1 as well, with a token for each program that asks."
        " Documented on one page, with commands that run as they stand.",
        "href": "/docs/api", "action": "Read the documentation"})

    def check(request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not database.row(
                "UPDATE api_tokens SET last_used_at = now() WHERE token_hash = %s RETURNING id", digest(token.strip())):
            raise Problem(401, "A valid token is needed: Authorization: Bearer <token>.",
                          {"WWW-Authenticate": "Bearer"})

    def listing(name):
        def answer(request):
            check(request)
            after, limit = request.query.get("after", "0"), request.query.get("limit", "50")
            if not re.fullmatch(r"\d{1,17}", after) or not re.fullmatch(r"\d{1,3}", limit) or not 0 < int(limit) <= 200:
                raise Problem(400, "after is an id, limit a number from 1 to 200.")
            rows = database.rows(LISTS[name] + " WHERE id > %s ORDER BY id LIMIT %s", int(after), int(limit) + 1)
            page = rows[:int(limit)]
            return Response.json({name: page, "next_after": page[-1]["id"] if len(rows) > len(page) else None})
        return answer

    def add(request):
        check(request)
        body = request.json()
        if any(not isinstance(body.get(name, ""), str) for name in ("name", "company", "email")):
            raise Problem(400, "name, company and email are strings.")
        request.form = body
        name, company, email = request.field("name", 120), request.field("company", 120, False), request.email()
        identifier = create_customer(site, "API", name, company, email)
        return Response.json(database.row(LISTS["customers"] + " WHERE id = %s", identifier), 201)

    def remove(request):
        check(request)
        with database.transaction() as cursor:
            cursor.execute("DELETE FROM customers WHERE id = %s RETURNING name", (number(request),))
            customer = cursor.fetchone() or missing("customer")
            site.emit(cursor, "customer removed", actor="API", subject=customer["name"])
        return Response("", 204)

    def tokens(request, token=None):
        found = database.rows("SELECT id, name, to_char(created_at, 'DD Mon YYYY') AS since,"
                              " to_char(last_used_at, 'DD Mon, HH24:MI') AS used FROM api_tokens ORDER BY id DESC")
        return site.page(request, "tokens", title="API tokens", tokens=found, token=token)

    def make(request):
        token = "key_" + secrets.token_urlsafe(30)
        database.rows("INSERT INTO api_tokens (name, token_hash) VALUES (%s, %s)",
                      request.field("name", 80), digest(token))
        return tokens(request, token)

    def revoke(request):
        database.rows("DELETE FROM api_tokens WHERE id = %s", number(request))
        return Response.redirect("/app/tokens")

    def manual(request):
        host = re.sub(r"[^\w.:\[\]-]", "", request.headers.get("Host", "localhost"))
        return site.page(request, "api", title="API", base=("https://" if request.is_secure else "http://") + host)

    site.route("GET", "/docs/api", manual)
    for name in LISTS:
        site.route("GET", f"/api/v1/{name}", listing(name), "everyone", False)
    site.route("POST", "/api/v1/customers", add, "everyone", False)
    site.route("DELETE", "/api/v1/customers/<id>", remove, "everyone", False)
    site.route("GET", "/app/tokens", tokens, "admin")
    site.route("POST", "/app/tokens", make, "admin")
    site.route("POST", "/app/tokens/<id>/revoke", revoke, "admin")
