"""A purchase from the first page to the counter, over HTTP and against PostgreSQL."""

import http.client
import json
import os
import re
import secrets
import threading
import unittest
import urllib.parse
import xml.etree.ElementTree

from shop.pictures import CONTENTS, picture

URL = os.environ.get("DATABASE_URL")
PASSWORD = "a-password-for-tests"
ADDRESS = {"name": "Ada Byron", "email": "ada@example.com", "street": "Main Street 1", "city": "1010 Vienna",
           "country": "Austria"}


class Drawings(unittest.TestCase):
    def test_every_drawing_is_well_formed(self):
        for theme in CONTENTS:
            for place in range(4):
                xml.etree.ElementTree.fromstring(picture(theme, place))

    def test_the_catalogue_is_complete(self):
        with open("catalogue.json", encoding="utf-8") as file:
            themes = json.load(file)
        self.assertEqual(set(themes), set(CONTENTS))
        slugs = [box["slug"] for theme in themes.values() for box in theme["boxes"]]
        self.assertEqual(len(slugs), len(set(slugs)))


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
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
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
class Shop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import psycopg2
        from main import build
        from service.web import Handler, Server
        os.environ.update(ADMIN_EMAIL="admin@example.com", ADMIN_PASSWORD=PASSWORD)
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
        cls.boxes = [box["slug"] for box in cls.site.settings["catalogue"]["boxes"]]

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

    def put(self, browser, slug, rhythm="month"):
        return browser.send("/boxes/" + slug, "/cart", box=slug, rhythm=rhythm)[0].status

    def test_a_purchase_reaches_the_counter(self):
        browser = self.browser()
        self.assertIn(self.site.settings["catalogue"]["title"], browser.get("/")[1])
        self.assertEqual([self.put(browser, self.boxes[0]) for _ in range(2)], [303, 303])
        self.assertEqual(self.put(browser, self.boxes[1], "once"), 303)
        self.assertIn('value="2"', browser.get("/cart")[1])
        browser.send("/cart", "/cart/change", box=self.boxes[1], rhythm="once", quantity="0")
        self.assertNotIn(f'href="/boxes/{self.boxes[1]}"', browser.get("/cart")[1])
        answer, _ = browser.send("/cart", "/orders", **ADDRESS)
        self.assertEqual(answer.status, 303)
        page = answer.getheader("Location")
        self.assertIn("Thank you, Ada Byron.", self.browser().get(page)[1])
        self.assertIn("nothing in it", browser.get("/cart")[1])
        self.assertEqual(browser.send("/", "/orders", **ADDRESS)[0].status, 409, "a second click orders nothing")
        admin, number = self.admin(), re.search(r"Order (\d+)", browser.get(page)[1])[1]
        self.assertIn(f"<b>{number}</b>", admin.get("/admin/orders")[1])
        self.assertEqual(admin.send("/admin/orders", f"/admin/orders/{number}", status="sent")[0].status, 303)
        self.assertIn('class="tag sent"', browser.get(page)[1])
        self.assertNotIn(f"<b>{number}</b>", admin.get("/admin/orders?status=new")[1])

    def test_an_order_needs_a_whole_address(self):
        browser = self.browser()
        self.put(browser, self.boxes[0])
        for name, value in (("email", "ada"), ("street", ""), ("city", "x" * 200)):
            answer, text = browser.send("/cart", "/orders", **{**ADDRESS, name: value})
            self.assertEqual(answer.status, 400, name)
            self.assertIn("Ada Byron", text, "what was typed is kept")

    def test_what_is_wrong_is_refused(self):
        browser = self.browser()
        for path, fields, status in (
                ("/cart", {"box": "nothing", "rhythm": "month"}, 409), ("/cart", {"box": self.boxes[0], "rhythm": "x"}, 400),
                ("/cart/change", {"quantity": "21"}, 400), ("/cart/change", {"quantity": "-1"}, 400)):
            self.assertEqual(browser.send("/boxes/" + self.boxes[0], path, **fields)[0].status, status, path)
        for path in ("/boxes/nothing", "/orders/nothing", "/nothing"):
            self.assertEqual(browser.get(path)[0].status, 404, path)
        self.assertEqual(browser.get("/admin/orders")[0].getheader("Location"), "/sign-in")
        self.assertEqual(browser.ask("POST", "/cart", "box=x", {
            "Content-Type": "application/x-www-form-urlencoded"})[0].status, 403)

    def test_prices_and_the_shelf_are_set_at_the_counter(self):
        admin, browser, slug = self.admin(), self.browser(), self.boxes[2]
        for price in ("free", "0", "-3", "1.234"):
            self.assertEqual(admin.send("/admin/boxes", "/admin/boxes/" + slug, price=price)[0].status, 400, price)
        admin.send("/admin/boxes", "/admin/boxes/" + slug, price="77,5", is_available="1")
        self.assertIn("77.50", browser.get("/boxes/" + slug)[1])
        admin.send("/admin/boxes", "/admin/boxes/" + slug, price="77.50")
        self.assertNotIn("77.50", browser.get("/")[1])
        self.assertEqual(browser.send("/boxes/" + self.boxes[0], "/cart", box=slug, rhythm="once")[0].status, 409)

    def test_the_letter_is_there_where_it_was_chosen(self):
        browser, has_letter = self.browser(), "newsletter" in self.site.settings["has"]
        answer, text = browser.send("/boxes/" + self.boxes[0], "/letter", email="reader@example.com")
        self.assertEqual(answer.status, 200 if has_letter else 404)
