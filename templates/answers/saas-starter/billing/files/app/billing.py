"""Feature subscription_billing: three plans, who is on which, and Stripe Checkout where a key for it is given."""

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import psycopg2.errors

from app.charts import columns
from app.workspace import missing, number
from service.web import Problem, Response

PLANS = [
    {"id": "basic", "name": "Basic", "price": 9, "for": "For one person who is starting out.",
     "points": ["Customers and projects", "One workspace", "Answers within two working days"]},
    {"id": "pro", "name": "Pro", "price": 29, "for": "For a team with customers of its own.", "is_favourite": True,
     "points": ["Everything in Basic", "Help with moving in", "Answers within one working day"]},
    {"id": "enterprise", "name": "Enterprise", "price": 99, "for": "For a company with rules to follow.",
     "points": ["Everything in Pro", "A named contact", "Answers within four hours"]},
]
BY_ID = {plan["id"]: plan for plan in PLANS}


def install(site):
    database = site.database
    site.navigation += [{"href": "/pricing", "label": "Pricing", "who": "everyone"},
                        {"href": "/app/billing", "label": "Subscriptions", "who": "admin"}]
    site.settings["plans"] = PLANS
    site.settings["sections"].append({
        "id": "billing", "title": "Paid by the month, ended in a click", "picture": "billing",
        "text": "Three plans, one price each, no set-up fee. A subscription begins at once and ends when you say so.",
        "href": "/pricing", "action": "Compare the plans"})
    site.cards.append(lambda: {"label": "Monthly revenue", "value": f"${revenue() / 100:,.0f}", "note": "running plans"})

    def revenue():
        return database.row("SELECT coalesce(sum(monthly_cents), 0)::bigint AS cents FROM subscriptions"
                            " WHERE ended_at IS NULL")["cents"]

    def pricing(request):
        return site.page(request, "pricing", title="Pricing")

    def show(request):
        running = database.rows(
            "SELECT subscriptions.id, customers.name, plan, monthly_cents / 100 AS price, stripe_id IS NOT NULL AS paid,"
            " to_char(started_at, 'DD Mon YYYY') AS since FROM subscriptions JOIN customers"
            " ON customers.id = customer_id WHERE ended_at IS NULL ORDER BY subscriptions.id DESC LIMIT 200")
        free = database.rows(
            "SELECT id, name FROM customers WHERE NOT EXISTS (SELECT FROM subscriptions"
            " WHERE customer_id = customers.id AND ended_at IS NULL) ORDER BY name LIMIT 500")
        counts = {row["plan"]: row["n"] for row in database.rows(
            "SELECT plan, count(*) AS n FROM subscriptions WHERE ended_at IS NULL GROUP BY plan")}
        months = database.rows(
            "SELECT to_char(month, 'Mon') AS label, (SELECT coalesce(sum(monthly_cents), 0)::bigint / 100"
            " FROM subscriptions WHERE started_at < month + interval '1 month' AND (ended_at IS NULL OR ended_at >= month"
            " + interval '1 month')) AS value FROM generate_series(date_trunc('month', now()) - interval '11 months',"
            " date_trunc('month', now()), interval '1 month') AS month")
        cards = [{"label": "Monthly revenue", "value": f"${revenue() / 100:,.0f}", "note": "running plans"}] + [
            {"label": plan["name"], "value": counts.get(plan["id"], 0), "note": f"at ${plan['price']}"}
            for plan in PLANS]
        return site.page(request, "billing", title="Subscriptions", cards=cards, running=running, free=free,
                         chart=columns(months, "Revenue a month in dollars"), has_stripe=stripe_key() is not None)

    def start(request):
        plan, customer = BY_ID.get(request.form.get("plan", "")), request.form.get("customer", "")
        if not plan or not customer.isdecimal() or len(customer) > 17:
            raise Problem(400, "Please choose a customer and a plan.")
        found = database.row("SELECT id, name, email FROM customers WHERE id = %s", int(customer)) or missing("customer")
        if stripe_key():
            home = request.headers.get("Origin") or "https://" + request.headers.get("Host", "")
            return Response.redirect(checkout(plan, found, home + "/app/billing"))
        begin(found["id"], plan, request.user["email"], None)
        return Response.redirect("/app/billing")

    def begin(customer, plan, actor, stripe_id):
        try:
            with database.transaction() as cursor:
                cursor.execute(
                    "INSERT INTO subscriptions (customer_id, plan, monthly_cents, stripe_id) SELECT id, %s, %s, %s"
                    " FROM customers WHERE id = %s RETURNING (SELECT email FROM customers WHERE id = customer_id)",
                    (plan["id"], plan["price"] * 100, stripe_id, customer))
                row = cursor.fetchone() or missing("customer")
                site.emit(cursor, "subscription started", actor=actor, subject=plan["name"], email=row["email"])
        except psycopg2.errors.UniqueViolation:
            raise Problem(409, "This customer has a plan already; end it first.") from None

    def end(condition, value, actor):
        with database.transaction() as cursor:
            cursor.execute(
                f"UPDATE subscriptions SET ended_at = now() WHERE {condition} = %s AND ended_at IS NULL"
                " RETURNING plan, (SELECT email FROM customers WHERE id = customer_id)", (value,))
            row = cursor.fetchone()
            if row:
                name = BY_ID[row["plan"]]["name"]
                site.emit(cursor, "subscription ended", actor=actor, subject=name, email=row["email"])
            return row

    def stop(request):
        found = database.row("SELECT stripe_id FROM subscriptions WHERE id = %s AND ended_at IS NULL", number(request))
        if not found:
            missing("running subscription")
        if found["stripe_id"] and stripe_key():
            stripe("DELETE", "/v1/subscriptions/" + urllib.parse.quote(found["stripe_id"], safe=""))
        end("id", number(request), request.user["email"])
        return Response.redirect("/app/billing")

    def hook(request):
        """What Stripe reports: a paid checkout begins a subscription, a deleted one ends it. Twice is once."""
        event = verified(request.body, request.headers.get("Stripe-Signature", ""),
                         os.environ.get("STRIPE_WEBHOOK_SECRET", ""))
        about = event.get("data", {}).get("object", {})
        if event.get("type") == "checkout.session.completed":
            facts = about.get("metadata", {})
            plan, customer = BY_ID.get(facts.get("plan")), str(facts.get("customer", ""))
            if plan and customer.isdecimal():
                try:
                    begin(int(customer), plan, "Stripe", about.get("subscription"))
                except Problem as problem:
                    # It has begun already, or the customer is gone: Stripe need not tell us again.
                    return Response.json({"received": True, "note": problem.message})
        elif event.get("type") == "customer.subscription.deleted":
            end("stripe_id", about.get("id"), "Stripe")
        return Response.json({"received": True})

    site.route("GET", "/pricing", pricing)
    site.route("GET", "/app/billing", show, "admin")
    site.route("POST", "/app/billing", start, "admin")
    site.route("POST", "/app/billing/<id>/end", stop, "admin")
    site.route("POST", "/api/stripe", hook, "everyone", False)


def stripe_key():
    return os.environ.get("STRIPE_SECRET_KEY") or None


def stripe(method, path, fields=()):
    request = urllib.request.Request(
        "https://api.stripe.com" + path, method=method, data=urllib.parse.urlencode(fields).encode() or None,
        headers={"Authorization": "Bearer " + stripe_key()})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ValueError) as fault:
        raise Problem(502, "Stripe did not take that. Please try again.") from fault


def checkout(plan, customer, back):
    """The address of a page at Stripe on which this customer pays for this plan."""
    price = "line_items[0][price_data]"
    return stripe("POST", "/v1/checkout/sessions", [
        ("mode", "subscription"), ("success_url", back), ("cancel_url", back), ("customer_email", customer["email"]),
        ("line_items[0][quantity]", 1), (price + "[currency]", "usd"), (price + "[unit_amount]", plan["price"] * 100),
        (price + "[recurring][interval]", "month"), (price + "[product_data][name]", plan["name"]),
        ("metadata[plan]", plan["id"]), ("metadata[customer]", customer["id"])])["url"]


def verified(body, header, secret, now=None, tolerance=300):
    """The event in a webhook's body, once its signature is known to be Stripe's and of the last five minutes."""
    pairs = [part.split("=", 1) for part in header.split(",") if "=" in part]
    stamp = next((value for key, value in pairs if key.strip() == "t"), "")
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_genuine = any(hmac.compare_digest(expected.encode(), value.encode()) for key, value in pairs if key == "v1")
    if not secret or not is_genuine or not stamp.isdecimal() or abs((now or time.time()) - int(stamp)) > tolerance:
        raise Problem(400, "The signature is not Stripe's.")
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise Problem(400, "The event is no JSON object.")
    return event
