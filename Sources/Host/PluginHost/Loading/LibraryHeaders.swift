/// The headers of an ELF library, as far as the dynamic loader trusts them: what they say is held against the file before
/// the loader sees it, for it ends the process over what it did not expect.
struct LibraryHeaders {
    /// A stretch of the library's memory.
    private struct Segment {
        let type, flags, offset, address, fileSize, memorySize, alignment: Int

        var end: Int { address + memorySize }
        /// Where the bytes end that come from the file.
        var fileEnd: Int { address + fileSize }
        var isWritable: Bool { flags & 2 != 0 }
        var isExecutable: Bool { flags & 1 != 0 }

        func holds(_ address: Int, _ count: Int) -> Bool {
            address >= self.address && count <= fileSize && address <= fileEnd - count
        }
    }

    private enum Kind {
        static let (load, dynamic, interpreter, note, table, threads) = (1, 2, 3, 4, 6, 7)
        static let (unwinding, stack, readOnly, property) = (0x6474_e550, 0x6474_e551, 0x6474_e552, 0x6474_e553)
        /// Those that a library may have; the loader has no say in others.
        static let known = [0, load, dynamic, interpreter, note, table, threads, unwinding, stack, readOnly, property]
    }

    /// Why the headers are not to be trusted.
    enum Fault: Error {
        /// They speak of bytes that the file does not have.
        case cutOff
        case wrong(String)
    }

    /// Of one library's memory, however little of it comes from the file.
    static let maximumMemory = 1 << 31
    static let maximumThreadMemory = 1 << 20
    private static let page = 4_096

    private let bytes: [UInt8]
    private var segments: [Segment] = []
    private var loads: [Segment] = []

    /// - Parameter bytes: a file that begins with an ELF header of this machine.
    init(_ bytes: [UInt8]) throws(Fault) {
        self.bytes = bytes
        try readSegments()
        try checkLoads()
        try checkOthers()
        try checkDynamic()
    }

    private func number(_ offset: Int, _ width: Int) -> Int? {
        // Nothing is added to an offset that the file states: it may be as large as a number can be.
        guard offset >= 0, width <= bytes.count, offset <= bytes.count - width else { return nil }
        let value = bytes[offset..<(offset + width)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(exactly: value)
    }

    private mutating func readSegments() throws(Fault) {
        guard let table = number(32, 8), let size = number(54, 2), let count = number(56, 2) else { throw .cutOff }
        guard size == 56 else { throw .cutOff }
        guard table <= bytes.count, count * size <= bytes.count - table else { throw .cutOff }
        guard table % 8 == 0 else { throw .wrong("its table of segments is not aligned") }
        for index in 0..<count {
            let start = table + index * size
            guard let type = number(start, 4), let flags = number(start + 4, 4) else { throw .cutOff }
            let words = (1...6).compactMap { number(start + 8 * $0, 8) }
            // An address or a size that is no positive number of 63 bits lies outside of any memory.
            guard words.count == 6 else { throw .cutOff }
            let segment = Segment(
                type: type, flags: flags, offset: words[0], address: words[1], fileSize: words[3],
                memorySize: words[4], alignment: words[5])
            guard segment.offset <= bytes.count, segment.fileSize <= bytes.count - segment.offset else { throw .cutOff }
            guard segment.address <= Self.maximumMemory, segment.memorySize <= Self.maximumMemory else {
                throw .wrong("a segment lies beyond \(Self.maximumMemory) bytes of memory")
            }
            segments.append(segment)
        }
        loads = segments.filter { $0.type == Kind.load }
    }

    /// What is mapped: in order, apart from each other, aligned as pages are.
    private func checkLoads() throws(Fault) {
        guard let first = loads.first else { throw .wrong("it has no segment to load") }
        guard first.offset == 0, first.address == 0, first.fileSize >= 64 else {
            throw .wrong("its first segment does not begin with the header")
        }
        var (end, fileEnd) = (0, 0)
        for segment in loads {
            guard segment.memorySize >= segment.fileSize else {
                throw .wrong("a segment is smaller in memory than in the file")
            }
            let alignment = segment.alignment
            guard alignment >= Self.page, alignment <= 1 << 21, alignment & (alignment - 1) == 0,
                (segment.address - segment.offset) % alignment == 0
            else { throw .wrong("a segment is not aligned as its header says") }
            // Two segments may not share a page, or one would be mapped over the other.
            guard segment.address / Self.page * Self.page >= end, segment.offset >= fileEnd else {
                throw .wrong("its segments overlap, or are out of order")
            }
            guard segment.flags & ~7 == 0, segment.flags & 4 != 0, !(segment.isWritable && segment.isExecutable) else {
                throw .wrong("a segment is not readable, or both writable and executable")
            }
            end = (segment.end + Self.page - 1) / Self.page * Self.page
            fileEnd = segment.offset + segment.fileSize
        }
        guard loads.contains(where: \.isExecutable), loads.contains(where: \.isWritable) else {
            throw .wrong("it has no code or no data")
        }
    }

    /// What the loader reads or protects beside: inside of what is mapped, where its header says.
    private func checkOthers() throws(Fault) {
        for segment in segments where segment.type != Kind.load {
            guard Kind.known.contains(segment.type) else { throw .wrong("it has a segment of an unknown type") }
            if segment.type == Kind.stack {
                guard !segment.isExecutable else { throw .wrong("it asks for a stack that is executable") }
                continue
            }
            if segment.type == 0 { continue }
            if segment.type == Kind.threads, segment.memorySize > Self.maximumThreadMemory {
                throw .wrong("it asks for more than \(Self.maximumThreadMemory) bytes a thread")
            }
            guard segment.memorySize >= segment.fileSize, segment.alignment & max(0, segment.alignment - 1) == 0,
                segment.alignment <= Self.page
            else { throw .wrong("a segment is not aligned, or smaller in memory than in the file") }
            let home = loads.first { $0.holds(segment.address, segment.fileSize) }
            guard let home, segment.address - home.address == segment.offset - home.offset else {
                throw .wrong("a segment is not where the file has its bytes")
            }
            if segment.type == Kind.readOnly {
                guard home.isWritable,
                    segment.address + segment.memorySize <= (home.end + Self.page - 1) / Self.page * Self.page
                else { throw .wrong("it protects memory that is not its own") }
            }
            if segment.type == Kind.interpreter { throw .wrong("it is an executable program, with an interpreter") }
        }
        for kind in [Kind.threads, Kind.dynamic, Kind.stack, Kind.readOnly] {
            guard segments.count(where: { $0.type == kind }) <= 1 else { throw .wrong("it has a segment twice") }
        }
        // Where it says nothing of the stack, every stack of the process becomes executable.
        guard segments.contains(where: { $0.type == Kind.stack }) else { throw .wrong("it says nothing of its stack") }
    }

    /// The loader's own table: each address in it lies where the library has bytes, and each table in them has its size.
    private func checkDynamic() throws(Fault) {
        guard let dynamic = segments.first(where: { $0.type == Kind.dynamic }) else {
            throw .wrong("it has no table for the dynamic loader")
        }
        guard dynamic.fileSize == dynamic.memorySize, dynamic.fileSize % 16 == 0, dynamic.address % 8 == 0,
            loads.contains(where: { $0.isWritable && $0.holds(dynamic.address, dynamic.fileSize) })
        else { throw .wrong("its table for the dynamic loader is not in its data") }
        var entries: [Int: Int] = [:]
        var isEnded = false
        for position in stride(from: dynamic.offset, to: dynamic.offset + dynamic.fileSize, by: 16) where !isEnded {
            guard let tag = number(position, 8), let value = number(position + 8, 8) else {
                throw .wrong("its table for the dynamic loader has a value beyond any memory")
            }
            if tag == 0 { isEnded = true } else { entries[tag] = value }
        }
        guard isEnded else { throw .wrong("its table for the dynamic loader does not end") }
        // DT_STRTAB, DT_SYMTAB, DT_RELA, DT_JMPREL, DT_INIT_ARRAY, DT_FINI_ARRAY, each with the tag of its size.
        for (table, size) in [(5, 10), (6, 0), (7, 8), (23, 2), (25, 27), (26, 28)] {
            guard let address = entries[table] else { continue }
            let count = size == 0 ? 24 : entries[size] ?? 0
            guard loads.contains(where: { $0.holds(address, count) }) else {
                throw .wrong("a table for the dynamic loader is not in its memory")
            }
        }
        // DT_HASH, DT_INIT, DT_FINI, DT_VERSYM, DT_VERDEF, DT_VERNEED, DT_GNU_HASH.
        for tag in [4, 12, 13, 0x6fff_fff0, 0x6fff_fffc, 0x6fff_fffe, 0x6fff_fef5] {
            guard let address = entries[tag] else { continue }
            let isCode = tag == 12 || tag == 13
            guard loads.contains(where: { $0.holds(address, 4) && (!isCode || $0.isExecutable) }) else {
                throw .wrong("what its table for the dynamic loader names is not in its memory")
            }
        }
        guard entries[5] != nil, entries[6] != nil else { throw .wrong("it has no names or no symbols") }
        try checkRelocations(entries)
    }

    /// Each place that the loader will write to is data.
    private func checkRelocations(_ entries: [Int: Int]) throws(Fault) {
        // DT_RELA and DT_JMPREL with their sizes.
        for (table, size) in [(7, 8), (23, 2)] {
            guard let address = entries[table], let length = entries[size],
                let home = loads.first(where: { $0.holds(address, length) })
            else { continue }
            let start = home.offset + address - home.address
            for position in stride(from: start, to: start + length - 23, by: 24) {
                guard let place = number(position, 8),
                    loads.contains(where: { $0.isWritable && place >= $0.address && place <= $0.end - 8 })
                else { throw .wrong("it has the loader write to what is not its data") }
            }
        }
    }
}
