"""The parts on their own: no database, no network."""

import hashlib
import hmac
import importlib.util
import tempfile
import unittest
from email.message import Message
from pathlib import Path

from service import accounts
from service.mustache import Pages
from service.web import Problem, Request, Router, StaticFiles


def request(target="/", form="", method="POST"):
    headers = Message()
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Request(method, target, headers, form.encode(), "127.0.0.1")


class PageTemplates(unittest.TestCase):
    def render(self, text, **context):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "page.html").write_text(text, "utf-8")
            Path(folder, "part.html").write_text("<i>{{name}}</i>", "utf-8")
            return Pages(folder).render("page", context)

    def test_text_is_escaped_and_markup_is_not(self):
        self.assertEqual(self.render("{{a}} {{{a}}}", a="<b>&\""), "&lt;b&gt;&amp;&quot; <b>&\"")

    def test_sections_lists_and_partials(self):
        page = "{{#people}}{{>part}}{{/people}}{{^people}}nobody{{/people}}"
        self.assertEqual(self.render(page, people=[{"name": "Ada"}, {"name": "<"}]), "<i>Ada</i><i>&lt;</i>")
        self.assertEqual(self.render(page, people=[]), "nobody")
        self.assertEqual(self.render("{{#tags}}[{{.}}]{{/tags}}", tags=["a", "b"]), "[a][b]")

    def test_missing_names_are_empty_and_open_sections_are_refused(self):
        self.assertEqual(self.render("-{{a.b.c}}-"), "--")
        for page in ("{{#a}}", "{{/a}}", "{{#a}}{{/b}}"):
            with self.assertRaises(ValueError):
                self.render(page)


class Passwords(unittest.TestCase):
    def test_a_password_matches_its_own_hash_only(self):
        stored = accounts.hashed("correct horse")
        self.assertTrue(accounts.matches("correct horse", stored))
        self.assertFalse(accounts.matches("correct house", stored))
        self.assertNotEqual(stored, accounts.hashed("correct horse"), "the salt differs")

    def test_short_and_endless_passwords_are_refused(self):
        for password in ("short", "x" * 201):
            with self.assertRaises(Problem):
                accounts.password_of(request(form="password=" + password))


class Requests(unittest.TestCase):
    def test_fields_are_trimmed_and_bounded(self):
        self.assertEqual(request(form="name=+Ada++Byron+").field("name"), "Ada Byron")
        for form in ("", "name=++", "name=" + "x" * 201, "name=a%00b"):
            with self.assertRaises(Problem):
                request(form=form).field("name")
        for address in ("ada", "ada@", "a b@c.de", "<a@b.c>"):
            with self.assertRaises(Problem):
                request(form="email=" + address).email()

    def test_routes_tell_a_wrong_method_from_a_wrong_address(self):
        router = Router()
        router.add("GET", "/things/<id>", "answer")
        found = request("/things/7?x=1", method="GET")
        self.assertEqual(router.find(found), ("/things/<id>", "answer"))
        self.assertEqual(found.values, {"id": "7"})
        for target, method, status in (("/things/7", "POST", 405), ("/things/7/8", "GET", 404), ("/", "GET", 404)):
            with self.assertRaises(Problem) as caught:
                router.find(request(target, method=method))
            self.assertEqual(caught.exception.status, status)

    def test_files_outside_the_folder_are_not_there(self):
        files = StaticFiles(Path(__file__).parent)
        self.assertEqual(files.answer("test_parts.py").status, 200)
        for name in ("../main.py", "/etc/passwd", "..", ""):
            with self.assertRaises(Problem):
                files.answer(name)


@unittest.skipUnless(importlib.util.find_spec("app.billing"), "without billing")
class StripeSignatures(unittest.TestCase):
    def header(self, body, stamp=1000, secret="whsec"):
        mark = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={mark}"

    def test_only_a_fresh_and_genuine_event_is_read(self):
        from app.billing import verified
        body = b'{"type": "ping"}'
        self.assertEqual(verified(body, self.header(body), "whsec", now=1100), {"type": "ping"})
        for header, secret, now in (
                (self.header(body, secret="other"), "whsec", 1100), (self.header(b"{}"), "whsec", 1100),
                (self.header(body), "whsec", 1301), (self.header(body, secret=""), "", 1100), ("", "whsec", 1100),
                ("t=x,v1=y", "whsec", 1100)):
            with self.assertRaises(Problem):
                verified(body, header, secret, now=now)
