/// Passwords for applications' roles.
enum ApplicationPassword {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let length = 32

    /// 192 random bits, in characters that stand for themselves in a URL and in a shell.
    static func make() -> String {
        var system = SystemRandomNumberGenerator()
        let bytes = (0..<length).map { _ in alphabet[Int(system.next() % 64)] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
