/// Decodes one DEFLATE stream (RFC 1951).
struct Inflate {
    /// A Huffman code: how many codes each length has, and the symbols in the order of their codes.
    private struct Code {
        private(set) var counts = [Int](repeating: 0, count: 16)
        private(set) var symbols: [Int] = []

        /// - Parameter lengths: of each symbol's code; 0 where it has none.
        init(_ lengths: some Collection<UInt8>) throws(Gzip.Fault) {
            for length in lengths where length > 0 { counts[Int(length)] += 1 }
            var left = 1
            for length in 1..<16 {
                left = left << 1 - counts[length]
                // More codes than there are of this length.
                guard left >= 0 else { throw .damaged }
            }
            var offsets = [0, 0]
            for length in 1..<15 { offsets.append(offsets[length] + counts[length]) }
            symbols = [Int](repeating: 0, count: counts.reduce(0, +))
            for (symbol, length) in lengths.enumerated() where length > 0 {
                symbols[offsets[Int(length)]] = symbol
                offsets[Int(length)] += 1
            }
        }
    }

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1_025, 1_537, 2_049, 3_073,
        4_097, 6_145, 8_193, 12_289, 16_385, 24_577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]
    /// In which order the lengths of the code of lengths come.
    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// The first byte behind the stream, once it has run.
    private(set) var position: Int
    private let input: [UInt8]
    private let limit: Int
    private var output: [UInt8] = []
    private var buffer = 0
    private var bufferedBits = 0

    init(_ input: [UInt8], from position: Int, limit: Int) {
        self.input = input
        self.position = position
        self.limit = limit
    }

    mutating func run() throws(Gzip.Fault) -> [UInt8] {
        var isLast = false
        while !isLast {
            isLast = try bits(1) == 1
            switch try bits(2) {
            case 0: try copyStored()
            case 1:
                let lengths = [(8, 144), (9, 112), (7, 24), (8, 8)].flatMap { [UInt8](repeating: $0.0, count: $0.1) }
                try copyCoded(try Code(lengths), try Code([UInt8](repeating: 5, count: 30)))
            case 2: try copyDynamic()
            default: throw .damaged
            }
        }
        return output
    }

    private mutating func bits(_ count: Int) throws(Gzip.Fault) -> Int {
        while bufferedBits < count {
            guard position < input.count else { throw .damaged }
            buffer |= Int(input[position]) << bufferedBits
            position += 1
            bufferedBits += 8
        }
        defer {
            buffer >>= count
            bufferedBits -= count
        }
        return buffer & (1 << count - 1)
    }

    private mutating func symbol(_ code: Code) throws(Gzip.Fault) -> Int {
        var (value, first, index) = (0, 0, 0)
        for length in 1..<16 {
            value |= try bits(1)
            let count = code.counts[length]
            if value - count < first { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw .damaged
    }

    private mutating func copyStored() throws(Gzip.Fault) {
        // At most seven bits are left of the byte that was begun.
        (buffer, bufferedBits) = (0, 0)
        guard position + 4 <= input.count else { throw .damaged }
        let length = Int(input[position]) | Int(input[position + 1]) << 8
        let complement = Int(input[position + 2]) | Int(input[position + 3]) << 8
        position += 4
        guard length == ~complement & 0xFFFF, position + length <= input.count else { throw .damaged }
        guard output.count + length <= limit else { throw .tooLarge }
        output += input[position..<position + length]
        position += length
    }

    private mutating func copyDynamic() throws(Gzip.Fault) {
        let (literals, distances) = (try bits(5) + 257, try bits(5) + 1)
        let count = try bits(4) + 4
        guard literals <= 286, distances <= 30 else { throw .damaged }
        var lengths = [UInt8](repeating: 0, count: 19)
        for index in Self.order.prefix(count) { lengths[index] = UInt8(try bits(3)) }
        let code = try Code(lengths)
        lengths = []
        while lengths.count < literals + distances {
            let symbol = try symbol(code)
            switch symbol {
            case ..<16: lengths.append(UInt8(symbol))
            case 16:
                guard let last = lengths.last else { throw .damaged }
                lengths += [UInt8](repeating: last, count: try bits(2) + 3)
            case 17: lengths += [UInt8](repeating: 0, count: try bits(3) + 3)
            default: lengths += [UInt8](repeating: 0, count: try bits(7) + 11)
            }
        }
        guard lengths.count == literals + distances, lengths[256] > 0 else { throw .damaged }
        try copyCoded(try Code(lengths[..<literals]), try Code(lengths[literals...]))
    }

    private mutating func copyCoded(_ literals: Code, _ distances: Code) throws(Gzip.Fault) {
        while true {
            let symbol = try symbol(literals)
            if symbol == 256 { return }
            guard symbol > 256 else {
                guard output.count < limit else { throw .tooLarge }
                output.append(UInt8(symbol))
                continue
            }
            guard symbol - 257 < Self.lengthBases.count else { throw .damaged }
            let length = Self.lengthBases[symbol - 257] + (try bits(Self.lengthBits[symbol - 257]))
            let code = try self.symbol(distances)
            guard code < Self.distanceBases.count else { throw .damaged }
            let distance = Self.distanceBases[code] + (try bits(Self.distanceBits[code]))
            guard distance <= output.count else { throw .damaged }
            guard output.count + length <= limit else { throw .tooLarge }
            // Byte by byte: what is copied may overlap what it is copied from.
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }
}
