import Domain
import Testing

@Suite struct SourcePathTests {
    @Test(arguments: [
        "main.py", "web/pages/index.html", "app/[slug]/page.tsx", "app/[...all]/route.ts", "src/Überblick.md",
        ".env.example",
        ".github/workflows/ci.yml", "a b/c-d_e.f", "資料/一覧.txt",
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
        ("a/..\u{2F}\u{338}b", ""),
    ])
    func `a path that leads elsewhere, or that systems read differently, is refused`(path: String, word: String) {
        let fault = SourcePath.fault(in: path)
        #expect(fault != nil && fault?.contains(word) != false, "\(fault ?? "accepted")")
    }

    @Test func `length, depth and names are bounded`() {
        #expect(SourcePath.fault(in: String(repeating: "a/", count: 31) + "b") == nil)
        #expect(SourcePath.fault(in: String(repeating: "a/", count: 32) + "b") != nil)
        #expect(SourcePath.fault(in: String(repeating: "a", count: 200)) == nil)
        #expect(SourcePath.fault(in: String(repeating: "a", count: 201)) != nil)
        #expect(SourcePath.fault(in: String(repeating: "abcdefg/", count: 70) + "b") != nil)
    }
}
