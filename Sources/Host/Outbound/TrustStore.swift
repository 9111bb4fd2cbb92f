import CLibcurl
import Domain

/// Where libcurl finds the certificate authorities: the system's store, and one file beside it.
struct TrustStore {
    /// The system's directory of single certificates, looked up by hash: a handshake reads one file of it instead
    /// of parsing the whole bundle.
    private let directory: String?
    private let file: String?

    init(additional file: String?) {
        let info = unsafe aib_curl_version()
        directory = unsafe info?.pointee.capath.map { unsafe String(cString: $0) }
        self.file = file
    }

    func apply(to easy: borrowing EasyHandle) throws(ProviderError) {
        try easy.set(CURLOPT_SSL_VERIFYPEER, 1)
        try easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        try easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let directory else {
            // libcurl was built with a bundle alone; the file then takes its place.
            if let file { try easy.set(CURLOPT_CAINFO, file) }
            return
        }
        try easy.set(CURLOPT_CAPATH, directory)
        try easy.set(CURLOPT_CAINFO, file)
    }
}
