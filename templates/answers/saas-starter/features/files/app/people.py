"""Feature user_authentication: people open their own account, change their password and see where they are signed in."""

import psycopg2.errors

from service.accounts import hashed, matches, password_of
from service.web import Problem, Response


def install(site):
    database = site.database
    site.navigation.append({"href": "/app/account", "label": "Account", "who": "member"})
    site.settings["sections"].append({
        "id": "accounts", "title": "Accounts that people trust", "picture": "accounts",
        "text": "Everybody signs in with an account of their own. Passwords are kept as scrypt hashes, sessions can be"
        " ended from any device, and guessing is cut off after a few attempts.",
        "href": "/sign-up", "action": "Open an account"})

    def show(request, problem=None, given=None):
        return site.page(request, "sign-up", title="Open an account", problem=problem, given=given or {})

    def sign_up(request):
        given = {"name": request.form.get("name", "")[:120], "email": request.form.get("email", "")[:254]}
        try:
            name, email, password = request.field("name", 120), request.email(), password_of(request)
            with database.transaction() as cursor:
                cursor.execute("INSERT INTO users (email, name, password_hash) VALUES (%s, %s, %s) RETURNING id",
                               (email, name, hashed(password)))
                user = cursor.fetchone()["id"]
                # Not joined to a customer of that address: nobody has shown yet that the address is theirs.
                cursor.execute("INSERT INTO customers (name, email, user_id) VALUES (%s, %s, %s)", (name, email, user))
                site.emit(cursor, "customer created", actor=email, subject=name, email=email)
        except psycopg2.errors.UniqueViolation:
            response = show(request, "This address cannot be used for a new account. Try signing in.", given)
            response.status = 409
            return response
        except Problem as problem:
            response = show(request, problem.message, given)
            response.status = int(problem.status)
            return response
        return site.signed_in(request, site.accounts.open_session(request, user), "/app")

    def account(request, notice=None, problem=None):
        sessions = database.rows(
            "SELECT id, agent, to_char(created_at, 'DD Mon YYYY, HH24:MI') AS since, id = %s AS is_this FROM sessions"
            " WHERE user_id = %s AND expires_at > now() ORDER BY id DESC", request.session, request.user["id"])
        return site.page(request, "account", title="Account", sessions=sessions, notice=notice, problem=problem,
                         has_others=len(sessions) > 1)

    def change_password(request):
        new = password_of(request, "new_password")
        stored = database.row("SELECT password_hash FROM users WHERE id = %s", request.user["id"])["password_hash"]
        if not matches(request.form.get("password", "")[:200], stored):
            response = account(request, problem="The current password is another one.")
            response.status = 403
            return response
        with database.transaction() as cursor:
            cursor.execute("UPDATE users SET password_hash = %s WHERE id = %s", (hashed(new), request.user["id"]))
            cursor.execute("DELETE FROM sessions WHERE user_id = %s AND id <> %s",
                           (request.user["id"], request.session))
        return account(request, notice="The password is changed, and every other session is ended.")

    def end_others(request):
        database.rows("DELETE FROM sessions WHERE user_id = %s AND id <> %s", request.user["id"], request.session)
        return Response.redirect("/app/account")

    site.route("GET", "/sign-up", show)
    site.route("POST", "/sign-up", sign_up)
    site.route("GET", "/app/account", account, "member")
    site.route("POST", "/app/account/password", change_password, "member")
    site.route("POST", "/app/account/sessions", end_others, "member")
