"""Every page, form and endpoint of the chosen features, over HTTP and against PostgreSQL."""

import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import threading
import time
import unittest
import urllib.parse

URL = os.environ.get("DATABASE_URL")
PASSWORD = "a-password-for-tests"


class Browser:
    """Keeps cookies, and sends forms with the token of the page that they are on."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"Cookie": cookie, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        for name, value in re.findall(r"(\w+)=([^;]*)", "\n".join(
                line.split(";")[0] for line in answer.headers.get_all("Set-Cookie", []))):
            self.cookies[name] = value
        connection.close()
        return answer, text

    def get(self, path):
        return self.ask("GET", path)

    def send(self, page, path, **fields):
        token = re.search(r'name="form_token" value="(\w+)"', self.get(page)[1])
        body = urllib.parse.urlencode({"form_token": token[1] if token else "", **fields})
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


@unittest.skipUnless(URL, "DATABASE_URL names no database")
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import psycopg2
        from main import build
        from service.web import Handler, Server
        os.environ.update(ADMIN_EMAIL="admin@example.com", ADMIN_PASSWORD=PASSWORD, STRIPE_WEBHOOK_SECRET="whsec")
        cls.schema = "test_" + secrets.token_hex(6)
        cls.connection = psycopg2.connect(URL)
        cls.connection.autocommit = True
        cls.connection.cursor().execute(f"CREATE SCHEMA {cls.schema}")
        options = urllib.parse.quote(f"-csearch_path={cls.schema}")
        cls.site = build(URL + ("&" if "?" in URL else "?") + "options=" + options)
        cls.site.start()
        cls.server = Server("127.0.0.1", 0, type("Tested", (Handler,), {"application": cls.site}))
        threading.Thread(target=cls.server.serve_forever, args=(0.05,), daemon=True).start()
        if not cls.site.database.is_ready.wait(20):
            raise RuntimeError("the database did not become ready")
        cls.has = cls.site.settings["has"]

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.site.database.drop_idle()
        cls.connection.cursor().execute(f"DROP SCHEMA {cls.schema} CASCADE")
        cls.connection.close()

    def browser(self):
        return Browser(self.server.server_port)

    def admin(self):
        browser = self.browser()
        answer, _ = browser.send("/sign-in", "/sign-in", email="admin@example.com", password=PASSWORD)
        self.assertEqual(answer.status, 303)
        return browser

    def new_customer(self, browser):
        name = "Customer " + secrets.token_hex(3)
        email = name.split()[1] + "@example.com"
        self.assertEqual(browser.send("/app/customers", "/app/customers", name=name, email=email)[0].status, 303)
        return name, email, re.search(
            re.escape(name) + r".*?/app/customers/(\d+)/remove", browser.get("/app/customers")[1], re.S)[1]

    def test_health_and_the_first_page(self):
        answer, text = self.browser().get("/health")
        self.assertEqual((answer.status, json.loads(text)["status"]), (200, "ok"))
        answer, text = self.browser().get("/")
        self.assertEqual(answer.status, 200)
        self.assertRegex(text, r"<title>[^·]+</title>")
        self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))
        answer, text = self.browser().ask("HEAD", "/")
        self.assertEqual((answer.status, text), (200, ""))

    def test_pages_exist_exactly_where_their_feature_was_chosen(self):
        browser = self.admin()
        for feature, paths in {
                "user_authentication": ["/sign-up", "/app/account"], "subscription_billing": ["/pricing", "/app/billing"],
                "admin_dashboard": ["/app/admin"], "email_notifications": ["/app/outbox"],
                "api_endpoints": ["/docs/api", "/app/tokens"], "analytics_tracking": ["/app/analytics"]}.items():
            for path in paths:
                self.assertEqual(browser.get(path)[0].status, 200 if feature in self.has else 404, path)
        for path in ("/app", "/app/projects", "/app/customers"):
            self.assertEqual(browser.get(path)[0].status, 200, path)
            self.assertEqual(self.browser().get(path)[0].getheader("Location"), "/sign-in", path)

    def test_wrong_addresses_methods_and_bodies(self):
        browser = self.browser()
        for method, path, status in (
                ("GET", "/nothing", 404), ("GET", "/static/..%2fmain.py", 404), ("GET", "/%ff", 400),
                ("DELETE", "/", 405), ("PUT", "/", 501), ("POST", "/sign-in", 403)):
            self.assertEqual(browser.ask(method, path)[0].status, status, path)
        self.assertEqual(browser.ask("POST", "/sign-in", "x" * 70_000)[0].status, 413)
        self.assertEqual(browser.ask("POST", "/sign-in", headers={"Content-Length": "-1"})[0].status, 400)

    def test_a_form_of_another_site_is_refused(self):
        browser = self.admin()
        answer, _ = browser.ask("POST", "/app/customers", "name=x&email=x%40example.com",
                                {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 403)

    def test_guessing_is_cut_off(self):
        browser, address = self.browser(), secrets.token_hex(4) + "@example.com"
        found = [browser.send("/sign-in", "/sign-in", email=address, password="guess")[0].status for _ in range(7)]
        self.assertEqual(found, [401] * 5 + [429] * 2)

    def test_signing_out_ends_the_session(self):
        browser = self.admin()
        session = browser.cookies["session"]
        self.assertEqual(browser.send("/app", "/sign-out")[0].status, 303)
        browser.cookies["session"] = session
        self.assertEqual(browser.get("/app")[0].status, 303)

    def test_a_customer_and_a_project_come_and_go(self):
        browser = self.admin()
        name, email, identifier = self.new_customer(browser)
        answer, text = browser.send("/app/customers", "/app/customers", name="Again", email=email)
        self.assertEqual(answer.status, 409)
        self.assertIn(email, text)
        project = "<Project> " + secrets.token_hex(3)
        browser.send("/app/projects", "/app/projects", name=project, customer=identifier)
        text = browser.get("/app/projects")[1]
        self.assertIn("&lt;Project&gt;", text)
        number = re.search(r"/app/projects/(\d+)/remove", text)[1]
        self.assertEqual(browser.send("/app/projects", f"/app/projects/{number}/status", status="lost")[0].status, 400)
        browser.send("/app/projects", f"/app/projects/{number}/status", status="done")
        self.assertIn('class="tag done"', browser.get("/app/projects")[1])
        self.assertEqual(browser.send("/app/projects", f"/app/projects/{number}/remove")[0].status, 303)
        self.assertEqual(browser.send("/app/projects", f"/app/projects/{number}/remove")[0].status, 404)
        browser.send("/app/customers", f"/app/customers/{identifier}/remove")
        self.assertNotIn(name, browser.get("/app/customers")[1])

    def test_members_see_only_what_is_theirs(self):
        if "user_authentication" not in self.has:
            return
        admin, member = self.admin(), self.browser()
        _, _, identifier = self.new_customer(admin)
        email = secrets.token_hex(4) + "@example.com"
        form = {"name": "Member", "email": email, "password": PASSWORD}
        self.assertEqual(member.send("/sign-up", "/sign-up", **form)[0].status, 303)
        self.assertEqual(self.browser().send("/sign-up", "/sign-up", **form)[0].status, 409)
        self.assertEqual(member.get("/app/customers")[0].status, 403)
        refused = member.send("/app/projects", "/app/projects", name="Not mine", customer=identifier)[0]
        self.assertEqual(refused.status, 400)
        own = re.search(r'<option value="(\d+)">Member', member.get("/app/projects")[1])[1]
        self.assertEqual(member.send("/app/projects", "/app/projects", name="Mine", customer=own)[0].status, 303)
        self.assertIn("Mine", member.get("/app")[1])
        other = self.browser()
        other.send("/sign-in", "/sign-in", email=email, password=PASSWORD)
        changed = member.send("/app/account", "/app/account/password", password=PASSWORD, new_password=PASSWORD * 2)[1]
        self.assertIn("The password is changed", changed)
        self.assertEqual(other.get("/app")[0].status, 303, "the other session is ended")

    def test_subscriptions_begin_once_and_end(self):
        if "subscription_billing" not in self.has:
            return
        browser = self.admin()
        name, email, identifier = self.new_customer(browser)
        start = {"customer": identifier, "plan": "pro"}
        self.assertEqual(browser.send("/app/billing", "/app/billing", **start)[0].status, 303)
        self.assertEqual(browser.send("/app/billing", "/app/billing", **start)[0].status, 409)
        text = browser.get("/app/billing")[1]
        number = re.search(re.escape(name) + r"</b>.*?/app/billing/(\d+)/end", text, re.S)[1]
        self.assertEqual(browser.send("/app/billing", f"/app/billing/{number}/end")[0].status, 303)
        if "email_notifications" in self.has:
            self.assertIn("Your Pro plan has ended", browser.get("/app/outbox")[1])

        def hook(kind, about):
            body = json.dumps({"type": kind, "data": {"object": about}})
            stamp = str(int(time.time()))
            mark = hmac.new(b"whsec", f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
            return browser.ask("POST", "/api/stripe", body, {"Stripe-Signature": f"t={stamp},v1={mark}"})[0].status
        paid = {"subscription": "sub_" + secrets.token_hex(4), "metadata": {"plan": "basic", "customer": identifier}}
        self.assertEqual([hook("checkout.session.completed", paid) for _ in range(2)], [200, 200])
        self.assertEqual(hook("customer.subscription.deleted", {"id": paid["subscription"]}), 200)
        self.assertEqual(browser.ask("POST", "/api/stripe", "{}")[0].status, 400)

    def test_the_api_wants_a_token_and_pages_through(self):
        if "api_endpoints" not in self.has:
            return
        browser = self.admin()
        token = re.search(r"key_[\w-]+", browser.send("/app/tokens", "/app/tokens", name="Tests")[1])[0]
        auth = {"Authorization": "Bearer " + token}
        self.assertEqual(self.browser().get("/api/v1/customers")[0].status, 401)
        for path, status in (("customers?limit=0", 400), ("customers?after=x", 400), ("projects", 200),
                             ("subscriptions", 200), ("nothing", 404)):
            self.assertEqual(browser.ask("GET", "/api/v1/" + path, headers=auth)[0].status, status, path)
        made = []
        for _ in range(3):
            body = json.dumps({"name": "Ada", "email": secrets.token_hex(4) + "@example.com"})
            answer, text = browser.ask("POST", "/api/v1/customers", body, auth)
            self.assertEqual(answer.status, 201)
            made.append(json.loads(text)["id"])
        for body in ("[]", "{", '{"name": 1}', '{"name": "A", "email": "none"}'):
            self.assertEqual(browser.ask("POST", "/api/v1/customers", body, auth)[0].status, 400, body)
        page = json.loads(browser.ask("GET", f"/api/v1/customers?limit=2&after={made[0] - 1}", headers=auth)[1])
        self.assertEqual([entry["id"] for entry in page["customers"]], made[:2])
        self.assertEqual(page["next_after"], made[1])
        found = [browser.ask("DELETE", f"/api/v1/customers/{made[0]}", headers=auth)[0].status for _ in range(2)]
        self.assertEqual(found, [204, 404])
