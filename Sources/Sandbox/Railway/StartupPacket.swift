import Domain
import NIOCore

/// The first packet of a PostgreSQL connection: https://www.postgresql.org/docs/current/protocol-message-formats.html
struct StartupPacket {
    /// The server takes no longer one.
    private static let limit = 10_000
    private static let version3: Int32 = 196_608
    private static let encryption: Set<Int32> = [80_877_103, 80_877_104]

    private let code: Int32
    private let payload: ByteBuffer

    var wantsEncryption: Bool { Self.encryption.contains(code) }

    /// Reads one; nil where it is not all there yet.
    init?(from buffer: inout ByteBuffer) throws {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return nil }
        guard (8...Int32(Self.limit)).contains(length) else { throw StartupRefusal("08P01", "invalid startup packet") }
        guard var packet = buffer.getSlice(at: buffer.readerIndex, length: Int(length)) else { return nil }
        buffer.moveReaderIndex(forwardBy: Int(length))
        packet.moveReaderIndex(forwardBy: 4)
        guard let code = packet.readInteger(as: Int32.self) else { return nil }
        self.code = code
        payload = packet
    }

    /// The same packet with the names that the database has.
    ///
    /// - Throws: `StartupRefusal` for other names than the client's own.
    func rewritten(for route: DatabaseProxy.Route) throws -> ByteBuffer {
        var parameters: [(name: String, value: String)] = []
        // A request to cancel names no one: its key is the database's own.
        if code >> 16 == Self.version3 >> 16 {
            var rest = payload
            while let name = rest.readNullTerminatedString(), !name.isEmpty {
                guard let value = rest.readNullTerminatedString() else {
                    throw StartupRefusal("08P01", "invalid startup packet")
                }
                parameters.append((name, value))
            }
            let user = parameters.last { $0.name == "user" }?.value ?? ""
            guard user == route.user else {
                throw StartupRefusal("28P01", "password authentication failed for user \"\(user)\"")
            }
            let database = parameters.last { $0.name == "database" }?.value ?? user
            guard database == route.database else {
                throw StartupRefusal("3D000", "database \"\(database)\" does not exist")
            }
            parameters.removeAll { $0.name == "user" || $0.name == "database" }
            parameters += [("user", route.target.user), ("database", route.target.name)]
        }
        var body = ByteBuffer(integer: code)
        if parameters.isEmpty {
            body.writeImmutableBuffer(payload)
        } else {
            for (name, value) in parameters {
                body.writeNullTerminatedString(name)
                body.writeNullTerminatedString(value)
            }
            body.writeInteger(UInt8(0))
        }
        var packet = ByteBuffer(integer: Int32(body.readableBytes + 4))
        packet.writeBuffer(&body)
        return packet
    }
}

/// Why a connection goes no further, as the database's server would say it.
struct StartupRefusal: Error {
    private let code: String
    private let message: String

    init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    var bytes: ByteBuffer {
        var body = ByteBuffer()
        for (field, text) in [("S", "FATAL"), ("V", "FATAL"), ("C", code), ("M", message)] {
            body.writeString(field)
            body.writeNullTerminatedString(text)
        }
        body.writeInteger(UInt8(0))
        var packet = ByteBuffer(string: "E")
        packet.writeInteger(Int32(body.readableBytes + 4))
        packet.writeBuffer(&body)
        return packet
    }
}
