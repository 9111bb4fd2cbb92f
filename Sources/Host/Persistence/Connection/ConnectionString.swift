import CLibpq
import Domain

/// The check of a connection string before libpq works with it.
///
/// What libpq says about a string it cannot read quotes it, and about one that it reads amiss, the parts it took for
/// a host or a port: either may be the password. So neither gets that far.
enum ConnectionString {
    /// - Throws: `rejected`, in fixed words.
    static func check(_ string: String) throws(DatabaseError) {
        guard !hasStraySeparator(string), let ports = ports(string),
            ports.utf8.allSatisfy({ $0 == UInt8(ascii: ",") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else {
            throw .aborted(
                LedgerError(
                    .rejected,
                    "DATABASE_URL is not a valid connection string; percent-encode special characters in the password"))
        }
    }

    /// Whether a URI has an `@` behind the one that ends user and password: one of the two is the password's.
    private static func hasStraySeparator(_ string: String) -> Bool {
        guard let scheme = ["postgresql://", "postgres://"].first(where: { string.hasPrefix($0) }) else { return false }
        var rest = string.dropFirst(scheme.count)
        if let end = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[end] == "@" {
            rest = rest[rest.index(after: end)...]
        }
        return rest.prefix(while: { $0 != "?" }).contains("@")
    }

    /// The ports as libpq reads them, empty for the default; nil where it cannot read the string.
    private static func ports(_ string: String) -> String? { options(string).map { $0["port"] ?? "" } }

    /// What the string sets, by libpq's keywords; nil where it cannot be read.
    static func options(_ string: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(string, &message) else {
            unsafe PQfreemem(message)
            return nil
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe found[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return found
    }
}
