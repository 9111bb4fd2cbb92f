import Files
import Glibc
import Testing

@Suite struct FileTreeTests {
    @Test func aTreeIsRemovedAndNoLinkIsFollowed() throws {
        var template = Array("/tmp/files-tests.XXXXXX".utf8CString)
        let isMade = unsafe mkdtemp(&template) != nil
        try #require(isMade)
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { FileTree.remove(root) }
        for folder in ["/kept", "/tree", "/tree/open", "/tree/closed", "/tree/closed/within"] {
            #expect(unsafe mkdir(root + folder, 0o700) == 0)
        }
        for file in ["/kept/file", "/tree/closed/within/file", "/tree/.hidden"] {
            #expect(close(unsafe creat(root + file, 0o600)) == 0)
        }
        #expect(unsafe symlink("../kept", root + "/tree/link") == 0)
        #expect(unsafe symlink("nowhere", root + "/tree/broken") == 0)
        #expect(unsafe chmod(root + "/tree/closed", 0) == 0)
        #expect(Set(FileTree.names(in: root + "/tree")) == ["open", "closed", ".hidden", "link", "broken"])
        FileTree.remove(root + "/tree")
        #expect(FileTree.names(in: root) == ["kept"])
        #expect(FileTree.names(in: root + "/kept") == ["file"])
        FileTree.remove(root + "/tree")
        #expect(FileTree.names(in: root + "/tree") == [])
    }
}
