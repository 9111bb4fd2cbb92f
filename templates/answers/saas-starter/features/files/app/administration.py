"""Feature admin_dashboard: who has an account, what happened, and the state of the system."""


def install(site):
    database = site.database
    site.navigation.append({"href": "/app/admin", "label": "Administration", "who": "admin"})
    site.settings["sections"].append({
        "id": "administration", "title": "The whole business at a glance", "picture": "administration",
        "text": "One page shows every account, what each of them did last, and how large the database has grown."
        " No figure on it is older than the moment you look.", "href": "/app/admin", "action": "See the dashboard"})

    def record(cursor, event, actor="", subject="", **_):
        cursor.execute("INSERT INTO events (actor, event, subject) VALUES (%s, %s, %s)", (actor, event, subject))

    def show(request):
        system = database.row(
            "SELECT pg_size_pretty(pg_database_size(current_database())) AS size, (SELECT count(*) FROM users) AS users,"
            " (SELECT count(*) FROM sessions WHERE expires_at > now()) AS sessions,"
            " (SELECT count(*) FROM events WHERE at > now() - interval '1 day') AS events")
        users = database.rows(
            "SELECT name, email, role, to_char(created_at, 'DD Mon YYYY') AS since, (SELECT count(*)"
            " || CASE count(*) WHEN 1 THEN ' session' ELSE ' sessions' END FROM sessions"
            " WHERE user_id = users.id AND expires_at > now()) AS sessions FROM users ORDER BY id LIMIT 200")
        events = database.rows(
            "SELECT actor, event, subject, to_char(at, 'DD Mon, HH24:MI') AS time FROM events ORDER BY id DESC LIMIT 30")
        cards = [{"label": "Accounts", "value": system["users"], "note": "can sign in"},
                 {"label": "Sessions", "value": system["sessions"], "note": "open now"},
                 {"label": "Events", "value": system["events"], "note": "in the last day"},
                 {"label": "Database", "value": system["size"], "note": "on disk"}]
        return site.page(request, "administration", title="Administration", cards=cards, users=users, events=events)

    site.on("*", record)
    site.route("GET", "/app/admin", show, "admin")
