import Testing

@testable import Outbound

@Suite struct IPAddressTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15",
        "2000::1", "2606:4700:4700::1111", "2a00:1450:4001::", "2001:200::", "2001:4860:4860::8888", "3ffe::1",
        "2003::",
        // An IPv4 address that is public, in its other forms.
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ])
    func isPublic(text: String) throws {
        #expect(try #require(IPAddress(text)).isPublic)
    }

    @Test(arguments: [
        // Unspecified, loopback, private, carrier-grade NAT, link-local, the clouds' own.
        "0.0.0.0", "0.255.255.255", "127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.0",
        "172.31.255.255", "192.168.0.0", "192.168.255.255", "100.64.0.0", "100.127.255.255", "100.100.100.200",
        "169.254.0.0", "169.254.169.254", "169.254.255.255", "168.63.129.16", "192.0.0.192",
        // Special purposes, multicast, reserved, broadcast.
        "192.88.99.1", "198.18.0.0", "198.19.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.0",
        "239.255.255.255", "240.0.0.0", "255.255.255.255",
        // The same for IPv6.
        "::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff02::1", "ff0e::1",
        "100::1", "1fff::", "4000::1", "2001::1", "2001:1ff:ffff::", "2001:db8::1", "3fff:fff::1", "5f00::1",
        // An IPv4 address that is not public, in its other forms; and forms that nothing uses.
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::127.0.0.1", "::8.8.8.8",
        "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::8.8.8.8",
        "64:ff9b:0:1::8.8.8.8", "2002:7f00:1::1", "2002:c0a8:101::1", "2002:a9fe:a9fe::", "2002::1",
    ])
    func isNotPublic(text: String) throws {
        #expect(try !#require(IPAddress(text)).isPublic)
    }

    @Test(arguments: [
        "", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.1", "1.2.3.4 ", "[::1]", "fe80::1%eth0", "::1::", ":",
    ])
    func isNone(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func isReadFromTheBytesOfASocketsAddress() {
        #expect(IPAddress([8, 8, 4, 4]) == IPAddress("8.8.4.4"))
        #expect(IPAddress([127, 0, 0, 1]) == IPAddress("::ffff:127.0.0.1"))
        #expect(IPAddress([UInt8](repeating: 0, count: 15) + [1]) == IPAddress("::1"))
        for count in [0, 3, 5, 15, 17] { #expect(IPAddress([UInt8](repeating: 8, count: count)) == nil) }
    }
}
