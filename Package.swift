// swift-tools-version: 6.2
import PackageDescription

// One settings array for every Swift target of the package.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
]

// A plugin is one shared library that exports one symbol and is never unloaded.
let pluginLinking: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/PluginKit/plugin.version",
        "-Xlinker", "-z", "-Xlinker", "nodelete",
    ])
]

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "aibackend",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "aibackend", targets: ["App"]),
        .executable(name: "aibackend-bench", targets: ["Bench"]),
        .library(name: "PluginABI", targets: ["PluginABI"]),
        .library(name: "PluginKit", targets: ["PluginKit"]),
        .executable(name: "aibackend-app-runner", targets: ["aibackend-app-runner"]),
        .library(name: "Claude", type: .dynamic, targets: ["ClaudeLibrary"]),
        .library(name: "Codex", type: .dynamic, targets: ["CodexLibrary"]),
        .library(name: "Railway", type: .dynamic, targets: ["RailwayLibrary"]),
        .library(name: "FixturePlugin", type: .dynamic, targets: ["FixturePlugin"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        // Without the trait ConfigurationSupport: nothing here reads hummingbird settings from a provider.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // JSON as both sides of the boundary read and write it: no Foundation, exact numbers.
        .target(name: "WireJSON", path: "Sources/WireJSON", swiftSettings: settings),

        // Threads for what must not run on the cooperative pool.
        .target(name: "Threads", path: "Sources/Threads", swiftSettings: settings),

        // Directories, listed and removed.
        .target(name: "Files", path: "Sources/Files", swiftSettings: settings),

        // Programs that this process starts, and their ends.
        .target(name: "CSpawn", path: "Sources/CSpawn"),
        .target(name: "Processes", dependencies: ["CSpawn"], path: "Sources/Processes", swiftSettings: settings),

        // The boundary and its Swift face.
        .target(name: "PluginABI", path: "Sources/PluginABI"),
        .target(
            name: "PluginKit", dependencies: ["PluginABI", "Threads", "WireJSON"], path: "Sources/PluginKit",
            exclude: ["plugin.version"], swiftSettings: settings),

        // The host, from the values outwards.
        .target(name: "Domain", dependencies: ["WireJSON"], path: "Sources/Host/Domain", swiftSettings: settings),
        .systemLibrary(
            name: "CLibcurl", path: "Sources/Host/CLibcurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CLibpq", path: "Sources/Host/CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Outbound", dependencies: ["Domain", "CLibcurl", "Threads", log], path: "Sources/Host/Outbound",
            swiftSettings: settings),
        .target(
            name: "Persistence",
            dependencies: ["Domain", "CLibpq", "Files", "Processes", "Threads", crypto, log, metrics],
            path: "Sources/Host/Persistence", swiftSettings: settings),
        .target(
            name: "PluginHost", dependencies: ["Domain", "PluginABI", "Threads", crypto, log, metrics],
            path: "Sources/Host/PluginHost", swiftSettings: settings),
        .target(
            name: "Engine",
            dependencies: ["Domain", .product(name: "Yams", package: "Yams"), lifecycle, log, metrics],
            path: "Sources/Host/Engine", swiftSettings: settings),
        .target(name: "Metering", dependencies: ["Domain"], path: "Sources/Host/Metering", swiftSettings: settings),
        .target(
            name: "CoreProvider", dependencies: ["Domain", lifecycle, log], path: "Sources/Host/Core",
            swiftSettings: settings),
        .target(
            name: "Repositories", dependencies: ["Domain", "Files", "Processes", "Threads", crypto, log],
            path: "Sources/Host/Repositories", swiftSettings: settings),
        .target(
            name: "Webhooks", dependencies: ["Domain", crypto, lifecycle, log, metrics], path: "Sources/Host/Webhooks",
            swiftSettings: settings),
        .target(
            name: "API",
            dependencies: [
                "Domain", hummingbird, crypto, log, metrics,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            path: "Sources/Host/API", swiftSettings: settings),
        .target(
            name: "Sandbox",
            dependencies: [
                "Domain", "Files", "Processes", "Threads", hummingbird, lifecycle, log,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Sandbox", exclude: ["Railway/railway-schema"],
            resources: [.embedInCode("Railway/railway.graphql")], swiftSettings: settings),
        // Confines itself, then becomes the application of the sandbox that it is given.
        .executableTarget(name: "aibackend-app-runner", path: "Sources/AppRunner"),
        .executableTarget(
            name: "App",
            dependencies: [
                "API", "CoreProvider", "Domain", "Engine", "Metering", "Outbound", "Persistence", "PluginHost",
                "Repositories", "Sandbox", "Webhooks", hummingbird, lifecycle, log, metrics,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/Host/App", swiftSettings: settings),

        // Our side of the benchmarks.
        .executableTarget(
            name: "Bench",
            dependencies: [
                "Domain", "Engine", "Metering", "Outbound", "Persistence", "PluginHost", "Sandbox", lifecycle, log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "benchmarks/Sources", swiftSettings: settings),

        // First-party plugins: one shared library each. The library's exported symbol is in a module of its own, for a
        // program that links several plugins' sources, as the tests do, can have only one symbol of its name.
        .target(
            name: "ClaudePlugin", dependencies: ["PluginKit"], path: "Plugins/Claude", exclude: ["Library"],
            resources: [.embedInCode("plugin.json")], swiftSettings: settings),
        .target(
            name: "ClaudeLibrary", dependencies: ["ClaudePlugin", "PluginKit"], path: "Plugins/Claude/Library",
            swiftSettings: settings, linkerSettings: pluginLinking),
        .target(
            name: "CodexPlugin", dependencies: ["PluginKit"], path: "Plugins/Codex", exclude: ["Library"],
            resources: [.embedInCode("plugin.json")], swiftSettings: settings),
        .target(
            name: "CodexLibrary", dependencies: ["CodexPlugin", "PluginKit"], path: "Plugins/Codex/Library",
            swiftSettings: settings, linkerSettings: pluginLinking),
        .target(
            name: "RailwayPlugin", dependencies: ["PluginKit"], path: "Plugins/Railway", exclude: ["Library"],
            resources: [.embedInCode("plugin.json")], swiftSettings: settings),
        .target(
            name: "RailwayLibrary", dependencies: ["RailwayPlugin", "PluginKit"], path: "Plugins/Railway/Library",
            swiftSettings: settings, linkerSettings: pluginLinking),

        // Tests, one target a module.
        .testTarget(name: "DomainTests", dependencies: ["Domain"], swiftSettings: settings),
        .testTarget(name: "FilesTests", dependencies: ["Files"], swiftSettings: settings),
        .testTarget(name: "ProcessesTests", dependencies: ["Processes"], swiftSettings: settings),
        .testTarget(
            name: "OutboundTests", dependencies: ["Outbound", "Domain", "Threads", log], swiftSettings: settings),
        .testTarget(
            name: "PersistenceTests", dependencies: ["Persistence", "Domain", "Files", log], swiftSettings: settings),
        .testTarget(
            name: "PluginHostTests", dependencies: ["PluginHost", "PluginKit", "PluginABI", "Domain", "Threads", log],
            exclude: ["Fixtures", "FixturePlugin"], swiftSettings: settings),
        // A plugin the tests load; they must not link it, for a program has one aib_plugin_entry.
        .target(
            name: "FixturePlugin", dependencies: ["PluginKit"], path: "Tests/PluginHostTests/FixturePlugin",
            swiftSettings: settings, linkerSettings: pluginLinking),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "Domain", lifecycle, log], swiftSettings: settings),
        .testTarget(name: "MeteringTests", dependencies: ["Metering", "Domain"], swiftSettings: settings),
        .testTarget(
            name: "CoreProviderTests", dependencies: ["CoreProvider", "Domain", log], swiftSettings: settings),
        .testTarget(
            name: "RepositoriesTests", dependencies: ["Repositories", "Domain", "Files", "Processes", log],
            swiftSettings: settings),
        .testTarget(
            name: "WebhooksTests", dependencies: ["Webhooks", "Domain", lifecycle, log], swiftSettings: settings),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "Domain", "Repositories", hummingbird, log, metrics,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Sandbox", "Domain", "Files", "Processes", "aibackend-app-runner", hummingbird, lifecycle, log,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings),
        // Plays the host for plugins under test.
        .target(
            name: "PluginTestHost", dependencies: ["PluginKit"], path: "Tests/PluginTestHost", swiftSettings: settings),
        .testTarget(
            name: "ClaudePluginTests", dependencies: ["ClaudePlugin", "PluginKit", "PluginTestHost"],
            swiftSettings: settings),
        .testTarget(
            name: "CodexPluginTests", dependencies: ["CodexPlugin", "PluginKit", "PluginTestHost"],
            swiftSettings: settings),
        .testTarget(
            name: "RailwayPluginTests", dependencies: ["RailwayPlugin", "PluginKit", "PluginTestHost"],
            swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["App", "Domain", "Metering", "Outbound", "Persistence", "Sandbox"],
            swiftSettings: settings),
    ],
    cLanguageStandard: .c11
)
