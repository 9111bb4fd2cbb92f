import Glibc

extension PluginLibrary {
    /// The manifest that lies beside a library, `x.plugin.json` for `x.so`, or nil.
    static func sidecar(of path: String) throws(PluginRefusal) -> (path: String, bytes: [UInt8])? {
        let file = (path.hasSuffix(".so") ? String(path.dropLast(3)) : path) + ".plugin.json"
        func refuse(_ reason: String, fix: String) -> PluginRefusal {
            PluginRefusal(.manifest, path, "\(file) \(reason)", fix: fix)
        }
        // Not waiting: whoever opens a pipe would wait until somebody writes to it.
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else {
                throw refuse("cannot be opened: \(systemMessage())", fix: "Make the file readable or remove it.")
            }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        unsafe fstat(descriptor, &status)
        guard status.isRegularFile else {
            throw refuse("is \(status.kind)", fix: "Put the plugin's own plugin.json there, or remove it.")
        }
        let limit = PluginManifest.maximumBytes
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, count in
            while count <= limit {
                let got = unsafe read(descriptor, buffer.baseAddress! + count, limit + 1 - count)
                if got > 0 {
                    count += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        guard failure == 0 else {
            throw refuse("cannot be read: \(systemMessage(failure))", fix: "Check the disk and the file.")
        }
        guard bytes.count <= limit else {
            throw refuse("is longer than \(limit) bytes", fix: "Ship the plugin's own plugin.json.")
        }
        return (file, bytes)
    }
}

extension stat {
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }

    /// What a file is that is no regular one.
    var kind: String {
        switch st_mode & S_IFMT {
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFCHR, S_IFBLK: "a device"
        case S_IFSOCK: "a socket"
        default: "no regular file"
        }
    }
}
