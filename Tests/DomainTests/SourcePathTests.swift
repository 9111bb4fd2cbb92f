import Domain
import Testing

@Suite struct SourcePathTests {
    @Test(arguments: [
        "main.py", "web/pages/index.html", "app/[slug]/page.tsx", "app/[...all]/route.ts", "src/Überblick.md",
        ".env.example",
        ".github/workflows/ci.yml", "a b/c-d_e.f", "資料/一覧.txt", "-rf", "$(id)", "`id`", "a;b&c", "~", "a~b", "notes~1x",
        "backup~old", "console.js", "auxiliary/x", "com10", "company/com.py", ".gitignore", ".gitattributes",
        ".gitkeep",
        "HEAD", "config", "hooks/post-checkout", "git", "e\u{301}t\u{E9}", "😀.md", "100%", "#x", "!x", "{{x}}", "'",
    ])
    func `a path below the application's folder is fine`(path: String) {
        #expect(SourcePath.fault(in: path) == nil)
    }

    @Test(arguments: [
        ("", "empty"), ("/etc/passwd", "absolute"), ("C:/windows/x", "absolute"), ("c:evil", "absolute"),
        ("../x", "\"..\""), ("a/../../x", "\"..\""), ("a/./b", "\".\""), ("a//b", "empty folder"),
        ("a/", "empty folder"),
        ("a\\..\\b", "backslash"), (".git/config", "git"), ("x/.GIT/hooks/post-checkout", "git"),
        ("git~1/config", "git"),
        (".gitmodules", "git"), ("a\u{0}b", "control"), ("a\nb", "control"), ("a\u{202E}txt.exe", "control"),
        ("a\u{200B}b", "control"), ("con|x", "control"), ("name.", "ends in"), ("name ", "ends in"),
        (" name", "begins"),
        ("a/..\u{2F}\u{338}b", ""), ("//x", "absolute"), ("\\\\server\\share", "backslash"), ("..", "\"..\""),
        (".", "\".\""), ("a/..", "\"..\""), ("C:", "absolute"), ("z:x", "absolute"), ("ab:stream", "one of"),
        ("a/.git/config", "git"), (".Git", "git"), (".gıt/config", "git"), (".g\u{200C}it/x", "invisible"),
        (".\u{FEFF}git", "invisible"), (".g\u{34F}it", "invisible"), (".git\u{FE0F}", "invisible"),
        (".g\u{2064}it", "invisible"), (".git ", "ends in"), (".git.", "ends in"), (".git...", "ends in"),
        (".git . .", "ends in"), (".git::$INDEX_ALLOCATION/config", "one of"), ("GIT~1", "git"), ("git~2/x", "git"),
        ("x/git~12", "git"), (".gitmodules", "git"), ("a/.GITMODULES", "git"), (".gitmoduleſ", "git"),
        ("gitmod~1", "short"), ("GI7EBA~1", "short"), ("PACKAG~1.JSO", "short"), ("a~1", "short"),
        ("con", "device"), ("a/NUL", "device"), ("aux.js", "device"), ("Com1.tar.gz", "device"), ("lpt¹", "device"),
        ("CONIN$", "device"), ("nul .txt", "device"), ("a\tb", "control"), ("a\rb", "control"), ("a\u{7F}b", "control"),
        ("a\u{85}b", "control"), ("a\u{2028}b", "control"), ("a\u{E000}b", "control"), ("a\u{FFFE}b", "control"),
        ("a\u{115F}b", "invisible"), ("a*", "one of"), ("a?", "one of"), ("a\"b", "one of"), ("<a>", "one of"),
        ("a/ b", "begins"), ("a/b /c", "ends in"), ("a/b./c", "ends in"),
    ])
    func `a path that leads elsewhere, or that systems read differently, is refused`(path: String, word: String) {
        let fault = SourcePath.fault(in: path)
        #expect(fault != nil && fault?.contains(word) != false, "\(fault ?? "accepted")")
    }

    @Test(arguments: [
        ("README.md", "readme.MD"), ("straße", "STRASSE"), ("ſ", "S"), ("K", "\u{212A}"), ("ı", "I"), ("é", "e\u{301}"),
        ("É", "e\u{301}"), ("ﬁ", "FI"), ("Å", "\u{212B}"), ("ΑΣ", "ας"),
    ])
    func `two paths that some system takes for one are folded to one`(first: String, second: String) {
        #expect(SourcePath.folded(first) == SourcePath.folded(second))
    }

    @Test func `length, depth and names are bounded`() {
        #expect(SourcePath.fault(in: String(repeating: "a/", count: 31) + "b") == nil)
        #expect(SourcePath.fault(in: String(repeating: "a/", count: 32) + "b") != nil)
        #expect(SourcePath.fault(in: String(repeating: "a", count: 200)) == nil)
        #expect(SourcePath.fault(in: String(repeating: "a", count: 201)) != nil)
        #expect(SourcePath.fault(in: String(repeating: "abcdefg/", count: 70) + "b") != nil)
    }
}
