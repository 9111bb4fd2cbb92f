"""Markdown, search, and every page and link of the handbook over HTTP."""

import http.client
import json
import re
import threading
import unittest

from handbook.markdown import render
from main import build
from service.web import Handler, Server


class Markdown(unittest.TestCase):
    def test_elements(self):
        for source, expected in (
                ("a *b* **c** `<d>`", "<p>a <em>b</em> <strong>c</strong> <code>&lt;d&gt;</code></p>"),
                ("- one\n- two\n  more", "<ul><li>one</li><li>two more</li></ul>"), ("1. one", "<ol><li>one</li></ol>"),
                ("> said", "<blockquote><p>said</p></blockquote>"), ("[x](/y)", '<p><a href="/y">x</a></p>'),
                ("```\na < b\n```", '<pre data-language=""><code>a &lt; b</code></pre>')):
            self.assertEqual(render(source)[0], expected)
        self.assertIn("<th>a</th>", render("|a|b|\n|---|---|\n|c|d|")[0])

    def test_a_page_brings_no_markup_and_no_script(self):
        found = render("<script>alert(1)</script> [x](javascript:alert(1)) [y](//evil.example)")[0]
        self.assertNotIn("<script", found)
        self.assertNotIn("<a ", found)

    def test_headings_have_addresses_of_their_own_and_every_text_ends(self):
        self.assertEqual([name for _, name, _ in render("## A b\n## A b\n### C")[1]], ["a-b", "a-b-2", "c"])
        for source in ("#", "##", "-", "1.", "|", ">", "```", "- \n-", "#### ", "##### x", "\t- x"):
            render(source)


class Handbook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = build()
        cls.server = Server("127.0.0.1", 0, type("Tested", (Handler,), {"application": cls.site}))
        threading.Thread(target=cls.server.serve_forever, args=(0.05,), daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def get(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def test_every_page_opens_and_every_link_leads_somewhere(self):
        pages = ["/", "/search?q=page", *self.site.library.by_address]
        for page in pages:
            status, text = self.get(page)
            self.assertEqual(status, 200, page)
            for link in re.findall(r'href="(/[^"#]*)', text):
                self.assertEqual(self.get(link)[0] // 100, 2, f"{link} on {page}")

    def test_search_wants_every_word_and_puts_titles_first(self):
        for page in self.site.library.pages:
            found = json.loads(self.get("/search.json?q=" + page.title.split()[-1])[1])["found"]
            self.assertIn(page.address, [entry["address"] for entry in found])
            self.assertNotIn("#", found[0]["excerpt"].replace("&#", ""))
        self.assertEqual(self.site.library.search("welcome xyzzy"), [])
        self.assertEqual(self.site.library.search("  <> "), [])
        status, text = self.get("/search?q=%3Cscript%3E")
        self.assertEqual(status, 200)
        self.assertNotIn("<script>", text)

    def test_health_errors_and_files(self):
        status, text = self.get("/health")
        self.assertEqual((status, json.loads(text)["pages"]), (200, len(self.site.library.pages)))
        self.assertEqual(self.get("/", "HEAD"), (200, ""))
        for path, status in (("/nothing", 404), ("/static/../main.py", 404), ("/static/nothing", 404), ("/%ff", 400)):
            self.assertEqual(self.get(path)[0], status, path)
        self.assertEqual(self.get("/", "POST")[0], 405)
        self.assertIn("<loc>", self.get("/sitemap.xml")[1])
