/// One block of 512 bytes that stands before an entry of a tar, in the formats of 1979, POSIX and GNU.
struct TarHeader {
    static let size = 512

    enum Kind: Equatable {
        case file
        case directory
        /// The next entry's path, where it does not fit (GNU).
        case longPath
        /// Records about the next entry (POSIX).
        case extended
        /// Records about all that follow (POSIX).
        case global
        /// Links, devices, sparse files: the letter of the type.
        case other(Character)
    }

    let kind: Kind
    let path: [UInt8]
    let size: Int
    let isExecutable: Bool

    /// nil for what is no header.
    init?(_ block: [UInt8]) {
        guard block.count == Self.size, let sum = Self.octal(block[148..<156]),
            sum == block.indices.reduce(0, { $0 + Int((148..<156).contains($1) ? 32 : block[$1]) }),
            let size = Self.octal(block[124..<136]), let mode = Self.octal(block[100..<108])
        else { return nil }
        let name = block[0..<100].prefix { $0 != 0 }
        // GNU's format has other things where POSIX continues the name.
        let isPOSIX = block[257..<263].elementsEqual(Array("ustar\0".utf8))
        let prefix = isPOSIX ? block[345..<500].prefix { $0 != 0 } : []
        path = prefix.isEmpty ? Array(name) : prefix + [UInt8(ascii: "/")] + name
        self.size = size
        isExecutable = mode & 0o111 != 0
        kind =
            switch block[156] {
            // Before POSIX a directory was a file whose name ends with a slash.
            case 0, UInt8(ascii: "0"): path.last == UInt8(ascii: "/") ? .directory : .file
            case UInt8(ascii: "5"): .directory
            case UInt8(ascii: "L"): .longPath
            case UInt8(ascii: "x"): .extended
            case UInt8(ascii: "g"): .global
            case let type: .other(Character(Unicode.Scalar(type)))
            }
    }

    /// Digits between spaces and zero bytes. GNU's binary numbers, for sizes from 8 GiB, are none.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        guard !digits.isEmpty else { return field.allSatisfy { $0 == 0 || $0 == 32 } ? 0 : nil }
        return digits.reduce(Int?.some(0)) { value, digit in
            guard let value, UInt8(ascii: "0")...UInt8(ascii: "7") ~= digit else { return nil }
            return value * 8 + Int(digit - UInt8(ascii: "0"))
        }
    }
}
