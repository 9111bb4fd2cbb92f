/// Passwords that applications are given.
enum Password {
    private static let alphabet = Array("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")

    /// 24 letters and digits that are not taken for each other: 138 random bits.
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        return String((0..<24).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
    }
}
