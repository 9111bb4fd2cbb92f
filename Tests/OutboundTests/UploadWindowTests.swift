import Domain
import Testing

@testable import Outbound

@Suite struct UploadWindowTests {
    private func append(_ bytes: [UInt8], to window: inout UploadWindow) -> Bool { window.append(bytes) }

    private func read(_ window: inout UploadWindow, _ count: Int) -> (UploadWindow.Piece, [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: count)
        let piece = unsafe bytes.withUnsafeMutableBytes { unsafe window.read(into: $0) }
        guard case .bytes(let taken, _) = piece else { return (piece, []) }
        return (piece, Array(bytes[..<taken]))
    }

    @Test func keepsOrderAndContent() {
        var window = UploadWindow(length: nil)
        #expect(append([1, 2, 3], to: &window))
        #expect(read(&window, 2) == (.bytes(count: 2, isWritable: false), [1, 2]))
        #expect(append([4], to: &window))
        #expect(read(&window, 9) == (.bytes(count: 2, isWritable: false), [3, 4]))
        #expect(read(&window, 9).0 == .empty)
        #expect(window.isStarved)
        window.finish()
        #expect(read(&window, 9).0 == .finished)
    }

    @Test func refusesAtTheLimitAndCallsBackAtHalf() {
        var window = UploadWindow(length: nil)
        let half = UploadWindow.capacity / 2
        #expect(append([UInt8](repeating: 1, count: half), to: &window))
        #expect(append([UInt8](repeating: 2, count: half), to: &window))
        #expect(!append([3], to: &window))
        #expect(read(&window, half - 1).0 == .bytes(count: half - 1, isWritable: false))
        #expect(read(&window, 1).0 == .bytes(count: 1, isWritable: true))
        // Called back once, until it refuses again.
        #expect(read(&window, 1).0 == .bytes(count: 1, isWritable: false))
    }

    @Test func anEmptyWindowTakesALargePiece() {
        var window = UploadWindow(length: nil)
        #expect(append([UInt8](repeating: 1, count: UploadWindow.capacity * 2), to: &window))
        #expect(!append([1], to: &window))
    }

    @Test func holdsTheWriterToTheAnnouncedLength() {
        var long = UploadWindow(length: 3)
        #expect(append([1, 2, 3, 4], to: &long))
        #expect(long.violation?.code == .invalid)

        var short = UploadWindow(length: 3)
        #expect(append([1], to: &short))
        short.finish()
        #expect(short.violation?.message.contains("after 1 of the announced 3 bytes") == true)

        var exact = UploadWindow(length: 1)
        #expect(append([1], to: &exact))
        _ = read(&exact, 1)
        #expect(read(&exact, 1).0 == .finished, "the announced length ends the body")
    }
}
