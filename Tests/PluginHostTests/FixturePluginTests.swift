import Domain
import Synchronization
import Testing

@testable import PluginHost

/// A plugin written with PluginKit, through the whole of the ABI, against a transport in memory.
@Suite struct FixturePluginTests {
    private static let key = RouteKey.command("run", provider: "fixture")

    private func load(
        _ transport: FakeTransport = FakeTransport(), blobs: any BlobStore = MemoryBlobs(),
        log: LogKeeper = LogKeeper()
    ) async throws -> PluginRegistry {
        let registry = PluginRegistry.test(transport: transport, blobs: blobs, log: log, grace: .seconds(10))
        let path = try Fixture.swift()
        let secrets = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http, .hmac])])
        let refusal = await registry.refusal(
            of: path, PluginSettings(configuration: ["base_url": "http://127.0.0.1:9000"], secrets: secrets))
        try #require(refusal == nil)
        return registry
    }

    @Test func aCallCarriesWhatTheHostKnows() async throws {
        let log = LogKeeper()
        let registry = try await load(log: log)
        #expect(registry.route(for: Self.key)?.defaultModel == "fixture-1")
        let result = try await registry.call(Self.key, ["do": "describe"])
        #expect(result["operation"] == "fixture.run")
        #expect(result["attempt"] == 2)
        #expect(result["tenant"] == "tenant-1")
        #expect(result["key"] == "key-1")
        let trace = try #require(result["trace"]?.stringValue)
        #expect(UUIDv7(trace) != nil)
        #expect(result["deadline"]?.integerValue ?? 0 > SystemWallClock().now().milliseconds)
        #expect(log.all.contains { $0 == "info describing call=\(trace) plugin=fixture tenant=tenant-1" }, "\(log.all)")
        #expect(log.all.contains { $0 == "info fixture is here base_url=http://127.0.0.1:9000 plugin=fixture" })
        await registry.refreshHealth()
        #expect(registry.plugins.map(\.health) == [.healthy])
        await registry.shutdown()
    }

    @Test func aPluginsLogLinesAreMadeHarmless() async throws {
        let log = LogKeeper()
        let registry = try await load(log: log)
        _ = try await registry.call(Self.key, ["do": "log"])
        let line = try #require(log.all.first { $0.contains("two") })
        #expect(line.hasPrefix("info one\\n\\u{1B}[31mtwo [secret]\u{301} "))
        #expect(line.contains(" plugin=fixture") && line.contains(" field.plugin=host"), "\(line)")
        #expect(line.contains(" field.call=none") && line.contains("a\\nb=c\\td"), "\(line)")
        await registry.shutdown()
    }

    @Test func aStreamedBodysLengthIsAnnounced() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let result = try await registry.call(Self.key, ["do": "post", "pieces": 2, "length": 80_000])
        #expect(result["bytes"] == 80_000)
        let request = try #require(transport.transfers.first).request
        guard case .stream(length: 80_000) = request.body else {
            Issue.record("\(request.body)")
            return
        }
        #expect(request.headers.map(\.name) == ["authorization", "x-trace"], "the transport writes the field itself")
        for length: JSON in [-1, "x"] {
            #expect(
                try await registry.error(Self.key, ["do": "post", "pieces": 1, "length": length])?.code == .invalid)
        }
        await registry.shutdown()
    }

    @Test func bodiesStreamBothWaysUnderBackPressure() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let result = try await registry.call(Self.key, ["do": "post", "pieces": 60])
        #expect(result["status"] == 200)
        #expect(result["version"] == "1.1")
        #expect(result["type"] == "text/plain")
        #expect(result["bytes"] == 2_400_000)
        #expect(result["sum"] == .integer((0..<60).reduce(0) { $0 + Int64($1) * 40_000 }))
        let transfer = try #require(transport.transfers.first)
        #expect(transfer.refusedWrites > 0, "the writer was never held back")
        #expect(transfer.request.egress == EgressPolicy(hosts: ["api.example.com"], origins: ["http://127.0.0.1:9000"]))
        // The host adds nothing of its own, and leaves the secret's name for the transport to fill in.
        #expect(transfer.request.headers.map(\.name) == ["authorization", "x-trace"])
        #expect(transfer.request.headers.first?.value == "Bearer {{secret:FIXTURE_KEY}}")
        #expect(transfer.request.timeout <= .seconds(30))
        await registry.shutdown()
    }

    @Test func aReaderThatLagsHoldsThePeerBack() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        #expect(try await registry.call(Self.key, ["do": "download", "limit": 2_000_000]) == .integer(1 << 20))
        #expect(transport.transfers.first?.pauses ?? 0 > 0)
        let error = try await registry.error(Self.key, ["do": "download", "limit": 1_000])
        #expect(error?.code == .limit && error?.message.contains("1000 bytes") == true)
        await registry.shutdown()
    }

    /// What a transfer may queue for a plugin whose thread does not get to it.
    @Test func theHostHoldsAtMost256KiBOfATransfer() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let call = Task { try await registry.error(Self.key, ["do": "consume"]) }
        while transport.transfers.first?.delivered ?? 0 == 0 { await Task.yield() }
        let transfer = try #require(transport.transfers.first)
        let instance = try #require(registry.state.withLock { $0.plugins["fixture"]?.instance })
        let hosted = try #require((1...9).compactMap { instance.transfer($0) }.first)
        let (ends, end) = AsyncStream.makeStream(of: (counted: Int, sent: Int).self)
        instance.thread.post {
            // Nothing is seen until this returns, so the peer sends until it is held back.
            let seen = transfer.delivered
            while !transfer.isPaused || hosted.unseenBytes < HostedTransfer.highWater {}
            end.yield((hosted.unseenBytes, transfer.delivered - seen))
        }
        var iterator = ends.makeAsyncIterator()
        let queued = try #require(await iterator.next())
        #expect(HostedTransfer.highWater...262_144 ~= queued.counted, "\(queued)")
        #expect(queued.sent <= queued.counted, "\(queued)")
        let sent = transfer.delivered
        while transfer.delivered < sent + 1_000_000 { await Task.yield() }
        call.cancel()
        #expect(try await call.value?.code == .cancelled)
        await registry.shutdown()
    }

    @Test func aBlobStoreThatHangsHoldsUpNobody() async throws {
        let blobs = HangingBlobs()
        let registry = try await load(blobs: blobs)
        for count in 1...2 {
            let call = Task { try await registry.error(Self.key, ["do": "blob"]) }
            while blobs.asked < count { await Task.yield() }
            call.cancel()
            #expect(try await call.value?.code == .cancelled)
        }
        #expect(try await registry.call(Self.key, ["do": "sleep", "milliseconds": 1]) == ["slept": true])
        let instance = try #require(registry.state.withLock { $0.plugins["fixture"]?.instance })
        while instance.placesTaken != 2 { await Task.yield() }
        blobs.release()
        while instance.placesTaken != 0 { await Task.yield() }
        await registry.shutdown()
    }

    @Test func anAbandonedBodyAbortsItsTransfer() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let call = Task { try await registry.error(Self.key, ["do": "drop"]) }
        while transport.transfers.isEmpty { await Task.yield() }
        // The call goes on; the transfer ends because nobody can read it any more.
        for await _ in try #require(transport.transfers.first).cancelled { break }
        call.cancel()
        #expect(try await call.value?.code == .cancelled)
        await registry.shutdown()
    }

    @Test func blobsAreKeptReadAndSent() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let result = try await registry.call(Self.key, ["do": "blob"])
        #expect(result["part"] == "3456")
        #expect(result["digest"]?.stringValue?.count == 64)
        #expect(try await registry.call(Self.key, ["do": "send_blob"]) == "blob body")
        let error = try await registry.error(Self.key, ["do": "missing_blob"])
        #expect(error?.code == .invalid && error?.message.contains("there is no blob 000") == true)
        await registry.shutdown()
    }

    @Test func hmacIsMadeUnderASecretThePluginNeverSees() async throws {
        let registry = try await load()
        let code = try await registry.call(Self.key, ["do": "hmac", "secret": "FIXTURE_KEY", "data": "payload"])
        // printf payload | openssl dgst -sha256 -hmac s3cr3t-value
        let hexadecimal = code.arrayValue?.compactMap(\.integerValue).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        #expect(hexadecimal == "e2327e9416352640de477d803282fd44a8570719154b7fca36e2cbbdab65f9c7")
        let error = try await registry.error(Self.key, ["do": "hmac", "secret": "OTHER", "data": "x"])
        #expect(error?.code == .denied)
        await registry.shutdown()
    }

    @Test func outputIsHeldBackAndLosesNothing() async throws {
        let registry = try await load()
        let chunks = ChunkKeeper()
        let result = try await registry.call(Self.key, ["do": "emit", "bytes": 2_000_000]) { chunk in
            await Task.yield()
            chunks.keep(chunk)
        }
        #expect(result["sent"] == 2_000_000)
        #expect(chunks.text == String(repeating: "é", count: 1_000_000))
        #expect(chunks.usage == TokenUsage(input: 1, output: 2_000_000))
        // The window bounds what the caller can be behind.
        #expect(chunks.largest <= CallState.windowBytes)
        await registry.shutdown()
    }

    @Test func timersSleep() async throws {
        let registry = try await load()
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try await registry.call(Self.key, ["do": "sleep", "milliseconds": 30]) == ["slept": true])
        #expect(start.duration(to: clock.now) >= .milliseconds(30))
        await registry.shutdown()
    }

    @Test func cancellingReachesTheAuthorsFunction() async throws {
        let log = LogKeeper()
        let registry = try await load(log: log)
        for operation in ["sleep", "return_after_cancel"] {
            let begun = AsyncStream.makeStream(of: Void.self)
            let call = Task {
                begun.continuation.yield()
                return try await registry.call(Self.key, ["do": .string(operation), "milliseconds": 3_600_000])
            }
            for await _ in begun.stream { break }
            call.cancel()
            do {
                // What the plugin says within its grace counts: a result carries consumption that must be billed.
                let result = try await call.value
                #expect(operation == "return_after_cancel" && result == ["cancelled": true])
            } catch let error as ProviderError {
                #expect(error.code == .cancelled)
            }
        }
        await registry.shutdown()
        #expect(!log.all.contains { $0.contains("never_completed") || $0.contains("stale") }, "\(log.all)")
    }

    @Test func errorsKeepTheirClass() async throws {
        let registry = try await load()
        let failure = try await registry.error(Self.key, ["do": "fail"])
        #expect(
            failure
                == ProviderError(
                    .upstream, "the provider is overloaded", isRetryable: true, retryAfter: .seconds(2), status: 529,
                    providerRequestID: "req_1", usage: TokenUsage(input: 7), rawUsage: ["in": 7], isUsageFinal: true))
        #expect(try await registry.error(Self.key, ["do": "throw"])?.code == .internal)
        #expect(try await registry.error(Self.key, ["do": "nothing"])?.code == .invalid)
        await registry.shutdown()
    }

    /// Authors' functions that hold their thread starve neither the host's tasks nor another plugin, and the word
    /// that they are to stop still reaches them.
    @Test func aSpinningAuthorLeavesTheHostsTasksAlone() async throws {
        let registry = try await load()
        #expect(await registry.refusal(of: try await Fixture.c("echo")) == nil)
        let calls = (0..<4).map { _ in Task { try await registry.call(Self.key, ["do": "spin"]) } }
        while registry.callsInFlight < 4 { await Task.yield() }
        for _ in 0..<100 {
            _ = try await registry.call(.aiProvider("echo_c"), ["messages": [["role": "user", "content": "x"]]])
        }
        for call in calls { call.cancel() }
        for call in calls { #expect(try await call.value == ["spun": true]) }
        await registry.shutdown()
    }

    /// Calls are ended one way or the other by a shutdown, and the thread of the instance is joined.
    @Test func shutdownEndsCallsInFlight() async throws {
        let registry = try await load()
        let call = Task { try await registry.error(Self.key, ["do": "sleep", "milliseconds": 3_600_000]) }
        while registry.callsInFlight == 0 { await Task.yield() }
        await registry.shutdown()
        #expect(try await call.value?.code == .cancelled)
        #expect(try await registry.error(Self.key, ["do": "describe"])?.code == .cancelled)
    }
}
