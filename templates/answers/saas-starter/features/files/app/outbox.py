"""Feature email_notifications: what happens to a customer becomes a message in the outbox, in the same transaction."""

from app.workspace import missing, number
from service.web import Response

TEXTS = {
    "customer created": ("Welcome to {site}", "Hello,\n\nyour account with {site} is open. Reply to this message with"
                         " any question.\n"),
    "project created": ("We have noted {subject}", "Hello,\n\n{subject} is on our list. You will hear when work"
                        " begins.\n"),
    "project active": ("Work on {subject} has begun", "Hello,\n\nwe are working on {subject} now.\n"),
    "project done": ("{subject} is done", "Hello,\n\n{subject} is finished. Have a look, and tell us what you think.\n"),
    "subscription started": ("Your {subject} plan", "Hello,\n\nyour {subject} plan runs from today.\n"),
    "subscription ended": ("Your {subject} plan has ended", "Hello,\n\nyour {subject} plan has ended. Nothing more"
                           " will be charged.\n"),
}


def install(site):
    database = site.database
    site.navigation.append({"href": "/app/outbox", "label": "Outbox", "who": "admin"})
    site.settings["sections"].append({
        "id": "notifications", "title": "Nobody has to ask", "picture": "notifications",
        "text": "A welcome, a project that begins, a plan that ends: the message is written in the same transaction as"
        " the change itself, so none is forgotten and none is sent about something that never happened.",
        "href": "/app/outbox", "action": "Open the outbox"})

    def write(cursor, event, subject="", email=None, **_):
        if email and event in TEXTS:
            title, body = (text.format(site=site.settings["name"], subject=subject) for text in TEXTS[event])
            cursor.execute("INSERT INTO messages (recipient, subject, body) VALUES (%s, %s, %s)", (email, title, body))

    def show(request):
        messages = database.rows(
            "SELECT id, recipient, subject, body, to_char(created_at, 'DD Mon, HH24:MI') AS time,"
            " to_char(sent_at, 'DD Mon, HH24:MI') AS sent FROM messages ORDER BY sent_at IS NOT NULL, id DESC LIMIT 100")
        return site.page(request, "outbox", title="Outbox", messages=messages)

    def mark(request):
        if not database.row("UPDATE messages SET sent_at = now() WHERE id = %s AND sent_at IS NULL RETURNING id",
                            number(request)):
            missing("message that waits")
        return Response.redirect("/app/outbox")

    site.on("*", write)
    site.route("GET", "/app/outbox", show, "admin")
    site.route("POST", "/app/outbox/<id>/sent", mark, "admin")
