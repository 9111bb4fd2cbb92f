import Domain

/// Signs in to a deployed application as a browser would: reads the form, keeps the cookies, follows the answer.
struct SignIn: Sendable {
    private let application: APIClient
    private let path = "/sign-in"

    /// - Parameter url: the application's address.
    init(transport: any HTTPTransport, url: String) {
        application = APIClient(transport: transport, base: url.droppingTrailingSlashes)
    }

    /// Whether the application lets these credentials in.
    func attempt(email: String, password: String) async throws -> Bool {
        let page = try await application.send("GET", path)
        guard page.status == 200 else { throw StartFailure("GET \(path) answered \(page.status)") }
        var fields = Self.hiddenFields(of: String(decoding: page.bytes, as: UTF8.self))
        fields += [("email", email), ("password", password)]
        let form = fields.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
        var cookies = Self.cookies(of: page)
        let answer = try await application.send(
            "POST", path,
            headers: [
                OutboundRequest.Header("content-type", "application/x-www-form-urlencoded"),
                OutboundRequest.Header("cookie", Self.header(cookies)),
                OutboundRequest.Header("sec-fetch-site", "same-origin"),
            ], body: Array(form.utf8))
        guard (300..<400).contains(answer.status), let target = answer.header("location") else { return false }
        cookies.merge(Self.cookies(of: answer)) { $1 }
        let inside = try await application.send(
            "GET", target, headers: [OutboundRequest.Header("cookie", Self.header(cookies))])
        return inside.status == 200
    }

    private static func hiddenFields(of page: String) -> [(String, String)] {
        page.matches(of: /<input type="hidden" name="([^"]*)" value="([^"]*)"/).map { match in
            (String(match.output.1), String(match.output.2))
        }
    }

    private static func cookies(of answer: APIClient.RawAnswer) -> [String: String] {
        var cookies: [String: String] = [:]
        for header in answer.headers where header.name.lowercased() == "set-cookie" {
            let pair = header.value.prefix { $0 != ";" }
            guard let mark = pair.firstIndex(of: "=") else { continue }
            cookies[String(pair[..<mark])] = String(pair[pair.index(after: mark)...])
        }
        return cookies
    }

    private static func header(_ cookies: [String: String]) -> String {
        cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }

    /// As HTML forms are encoded.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                result.append(Character(UnicodeScalar(byte)))
            default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
