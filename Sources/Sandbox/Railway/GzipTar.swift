/// Recognises a tar that is compressed by gzip, without unpacking more than its first header.
enum GzipTar {
    private static let blockSize = 512

    /// What is wrong with it; nil for what begins as it should.
    static func problem(_ bytes: [UInt8]) -> String? {
        guard let start = deflateStart(bytes) else { return "not in gzip format" }
        var inflate = Inflate(bytes[start...], limit: blockSize)
        guard let block = inflate.run(), block.count == blockSize else { return "not a gzipped tar archive" }
        if block.allSatisfy({ $0 == 0 }) { return "the archive is empty" }
        // The header's checksum counts its own field as eight spaces.
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        let digits = block[148..<156].drop { $0 == UInt8(ascii: " ") }.prefix { (0x30...0x37).contains($0) }
        guard Int(String(decoding: digits, as: UTF8.self), radix: 8) == sum else { return "not a gzipped tar archive" }
        return nil
    }

    /// Where the compressed data begins, behind the header of RFC 1952.
    private static func deflateStart(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else { return nil }
        let flags = bytes[3]
        var position = 10
        if flags & 4 != 0 { position += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
        for flag in [8, 16] as [UInt8] where flags & flag != 0 {
            guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else { return nil }
            position = end + 1
        }
        if flags & 2 != 0 { position += 2 }
        return position < bytes.count ? position : nil
    }
}

/// Decompresses the beginning of a deflate stream (RFC 1951).
struct Inflate {
    private struct Truncated: Error {}

    /// A Huffman code by the number of its codes of each length, and its symbols in the codes' order.
    private struct Code {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []

        init(lengths: some Collection<Int>) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            for length in 1..<16 {
                for (symbol, own) in lengths.enumerated() where own == length { symbols.append(symbol) }
            }
        }
    }

    private let bytes: ArraySlice<UInt8>
    private let limit: Int
    private var position: Int
    private var bit = 0
    private var output: [UInt8] = []

    /// - Parameter limit: bytes of output after which it stops.
    init(_ bytes: ArraySlice<UInt8>, limit: Int) {
        self.bytes = bytes
        self.limit = limit
        position = bytes.startIndex
    }

    /// - Returns: the first bytes of the data; nil where the stream is broken before.
    mutating func run() -> [UInt8]? {
        do {
            var isLast = false
            while !isLast, output.count < limit {
                isLast = try bits(1) == 1
                switch try bits(2) {
                case 0: try stored()
                case 1: try compressed(Self.fixedLiterals, Self.fixedDistances)
                case 2:
                    let (literals, distances) = try dynamicCodes()
                    try compressed(literals, distances)
                default: return nil
                }
            }
            return Array(output.prefix(limit))
        } catch {
            return nil
        }
    }

    private mutating func bits(_ count: Int) throws(Truncated) -> Int {
        var value = 0
        for index in 0..<count {
            guard position < bytes.endIndex else { throw Truncated() }
            value |= Int(bytes[position] >> UInt8(bit) & 1) << index
            bit += 1
            if bit == 8 { (bit, position) = (0, position + 1) }
        }
        return value
    }

    private mutating func symbol(_ code: Code) throws(Truncated) -> Int {
        var (value, first, index) = (0, 0, 0)
        for length in 1..<16 {
            value |= try bits(1)
            let count = code.counts[length]
            if value - first < count {
                guard index + value - first < code.symbols.count, value >= first else { throw Truncated() }
                return code.symbols[index + value - first]
            }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Truncated()
    }

    private mutating func stored() throws(Truncated) {
        if bit > 0 { (bit, position) = (0, position + 1) }
        let (length, complement) = (try bits(16), try bits(16))
        guard length == ~complement & 0xFFFF else { throw Truncated() }
        for _ in 0..<min(length, limit - output.count) { output.append(UInt8(try bits(8))) }
    }

    private mutating func compressed(_ literals: Code, _ distances: Code) throws(Truncated) {
        while output.count < limit {
            let symbol = try symbol(literals)
            if symbol < 256 {
                output.append(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                guard symbol <= 285 else { throw Truncated() }
                let length = Self.lengths[symbol - 257].base + (try bits(Self.lengths[symbol - 257].extra))
                let distanceSymbol = try self.symbol(distances)
                guard distanceSymbol < 30 else { throw Truncated() }
                let distance = Self.distances[distanceSymbol].base + (try bits(Self.distances[distanceSymbol].extra))
                guard distance <= output.count else { throw Truncated() }
                for _ in 0..<length { output.append(output[output.count - distance]) }
            }
        }
    }

    private mutating func dynamicCodes() throws(Truncated) -> (Code, Code) {
        let (literals, distances, codes) = (try bits(5) + 257, try bits(5) + 1, try bits(4) + 4)
        var lengths = [Int](repeating: 0, count: 19)
        for index in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(codes) {
            lengths[index] = try bits(3)
        }
        let code = Code(lengths: lengths)
        var all: [Int] = []
        while all.count < literals + distances {
            switch try symbol(code) {
            case 16:
                guard let last = all.last else { throw Truncated() }
                all += [Int](repeating: last, count: 3 + (try bits(2)))
            case 17: all += [Int](repeating: 0, count: 3 + (try bits(3)))
            case 18: all += [Int](repeating: 0, count: 11 + (try bits(7)))
            case let length: all.append(length)
            }
        }
        guard all.count == literals + distances else { throw Truncated() }
        return (Code(lengths: all[..<literals]), Code(lengths: all[literals...]))
    }

    private static let fixedLiterals = Code(
        lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = Code(lengths: [Int](repeating: 5, count: 30))

    private typealias Range = (base: Int, extra: Int)

    private static let lengths: [Range] = {
        var (ranges, base): ([Range], Int) = ([], 3)
        for index in 0..<28 {
            let extra = index < 8 ? 0 : index / 4 - 1
            ranges.append((base, extra))
            base += 1 << extra
        }
        return ranges + [(258, 0)]
    }()

    private static let distances: [Range] = {
        var (ranges, base): ([Range], Int) = ([], 1)
        for index in 0..<30 {
            let extra = index < 4 ? 0 : index / 2 - 1
            ranges.append((base, extra))
            base += 1 << extra
        }
        return ranges
    }()
}
