"""Who is signed in: passwords under scrypt, sessions in PostgreSQL, forms that only this site can send."""

import base64
import hashlib
import hmac
import os
import secrets

from service.web import Problem

SESSION_SECONDS = 14 * 24 * 3600
# Failed attempts in a quarter of an hour: for one address and account, and for one address.
MOST_FAILURES, MOST_FAILURES_OF_ADDRESS = 5, 25


def hashed(password):
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return "scrypt$" + base64.b64encode(salt).decode() + "$" + base64.b64encode(key).decode()


# Compared with where there is no such account, so that both take the same time.
NOBODY = hashed(secrets.token_hex(16))


def matches(password, stored):
    _, salt, key = stored.split("$")
    again = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=2**14, r=8, p=1)
    return hmac.compare_digest(again, base64.b64decode(key))


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Accounts:
    def __init__(self, database):
        self.database, self.key = database, b""

    def prepare(self, cursor):
        """The site's own key, and the administrator that the environment names."""
        cursor.execute(
            "INSERT INTO settings (key, value) VALUES ('form_key', %s) ON CONFLICT (key) DO NOTHING",
            (secrets.token_hex(32),))
        cursor.execute("SELECT value FROM settings WHERE key = 'form_key'")
        self.key = cursor.fetchone()["value"].encode()
        email, password = os.environ.get("ADMIN_EMAIL", "").lower(), os.environ.get("ADMIN_PASSWORD", "")
        if not email or not password:
            return
        cursor.execute("SELECT password_hash FROM users WHERE email = %s", (email,))
        found = cursor.fetchone()
        if not found:
            cursor.execute(
                "INSERT INTO users (email, name, role, password_hash) VALUES (%s, 'Administrator', 'admin', %s)",
                (email, hashed(password)))
        elif not matches(password, found["password_hash"]):
            cursor.execute("UPDATE users SET role = 'admin', password_hash = %s WHERE email = %s",
                           (hashed(password), email))

    def recognise(self, request):
        """Puts who is signed in into the request; nobody where the cookie names no session."""
        token = request.cookies.get("session", "")
        if len(token) > 100 or not token:
            return
        found = self.database.row(
            "SELECT users.id, users.email, users.name, users.role, sessions.id AS session FROM sessions JOIN users"
            " ON users.id = sessions.user_id WHERE token_hash = %s AND expires_at > now()", digest(token))
        if found:
            request.user, request.session = found, found["session"]

    def sign_in(self, request, email, password):
        """The token of a new session; a Problem for a wrong password and after too many of them."""
        keys = (f"{request.address} {email}", request.address)
        counts = self.database.rows(
            "SELECT count(*) AS n FROM unnest(%s) WITH ORDINALITY AS k(key, place) LEFT JOIN sign_in_failures f"
            " ON f.key = k.key AND f.at > now() - interval '15 minutes' WHERE f.key IS NOT NULL GROUP BY place"
            " HAVING count(*) >= CASE place WHEN 1 THEN %s ELSE %s END",
            list(keys), MOST_FAILURES, MOST_FAILURES_OF_ADDRESS)
        if counts:
            raise Problem(429, "Too many attempts. Please try again in a quarter of an hour.", {"Retry-After": "900"})
        found = self.database.row("SELECT id, password_hash FROM users WHERE email = %s", email)
        is_right = matches(password, found["password_hash"] if found else NOBODY)
        if not found or not is_right:
            with self.database.transaction() as cursor:
                cursor.execute("DELETE FROM sign_in_failures WHERE at < now() - interval '1 hour'")
                cursor.execute("INSERT INTO sign_in_failures (key) SELECT unnest(%s)", (list(keys),))
            raise Problem(401, "The email address and the password do not go together.")
        return self.open_session(request, found["id"])

    def open_session(self, request, user):
        token = secrets.token_urlsafe(32)
        with self.database.transaction() as cursor:
            cursor.execute("DELETE FROM sessions WHERE expires_at < now()")
            cursor.execute(
                "INSERT INTO sessions (token_hash, user_id, agent, expires_at)"
                " VALUES (%s, %s, %s, now() + %s * interval '1 second')",
                (digest(token), user, request.headers.get("User-Agent", "unknown")[:200], SESSION_SECONDS))
        return token

    def form_token(self, request):
        """What a form carries so that it is known to come from a page of this visitor."""
        seed = request.cookies.get("visitor", "") + "|" + request.cookies.get("session", "")
        return hmac.new(self.key, seed.encode(), hashlib.sha256).hexdigest()

    def check_form(self, request):
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        is_own = site in ("same-origin", "none") and request.cookies.get("visitor")
        if not is_own or not hmac.compare_digest(self.form_token(request), request.form.get("form_token", "")):
            raise Problem(403, "This form has gone stale. Please go back, reload the page and send it again.")


def password_of(request, name="password"):
    """A password to be kept: long enough, and not so long that hashing it is work."""
    password = request.form.get(name, "")
    if not 10 <= len(password) <= 200:
        raise Problem(400, "A password has between 10 and 200 characters.")
    return password
