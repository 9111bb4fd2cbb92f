import CLibcurl
import Domain

/// The owner of one `CURL` and of the memory that libcurl borrows for it. Safe: its pointers are valid for as long as
/// it lives, and none leaves it.
@safe struct EasyHandle: ~Copyable {
    private let handle: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var addresses: UnsafeMutablePointer<curl_slist>?

    init() throws(ProviderError) {
        guard let handle = unsafe curl_easy_init() else { throw .outOfMemory }
        let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        // Cannot fail: it stores the address.
        unsafe _ = aib_curl_easy_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        unsafe self.handle = handle
        unsafe self.errorText = errorText
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headers)
        unsafe curl_slist_free_all(addresses)
        unsafe errorText.deallocate()
    }

    // MARK: Options

    func set(_ option: CURLoption, _ value: Int) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_long(handle, option, value), option)
    }

    func set(_ option: CURLoption, offset value: Int64) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_offset(handle, option, value), option)
    }

    /// libcurl copies the string; nil resets the option.
    func set(_ option: CURLoption, _ value: String?) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_string(handle, option, value), option)
    }

    /// libcurl keeps the pointer: it must outlive the handle.
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_pointer(handle, option, value), option)
    }

    func set(_ option: CURLoption, _ value: aib_curl_data_callback) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_callback(handle, option, value), option)
    }

    /// Keeps the sockets from processes that are started meanwhile.
    func setCloseOnExec() throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_close_on_exec(handle), CURLOPT_OPENSOCKETFUNCTION)
    }

    /// Calls back for each socket libcurl wants to connect.
    func setOpenSocket(
        _ context: UnsafeMutableRawPointer, _ callback: curl_opensocket_callback
    ) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_open_socket(handle, callback, context), CURLOPT_OPENSOCKETFUNCTION)
    }

    /// Calls back each time the request is about to be sent on a connection.
    func setPrerequest(
        _ context: UnsafeMutableRawPointer, _ callback: curl_prereq_callback
    ) throws(ProviderError) {
        try check(unsafe aib_curl_easy_set_prerequest(handle, callback, context), CURLOPT_PREREQFUNCTION)
    }

    mutating func setHeaders(_ lines: [String]) throws(ProviderError) {
        unsafe headers = try unsafe Self.list(lines)
        if let headers = unsafe headers { try unsafe set(CURLOPT_HTTPHEADER, UnsafeMutableRawPointer(headers)) }
    }

    /// Says what names resolve to, each as `name:port:address`, in place of the resolver.
    mutating func setAddresses(_ lines: [String]) throws(ProviderError) {
        unsafe addresses = try unsafe Self.list(lines)
        if let addresses = unsafe addresses { try unsafe set(CURLOPT_RESOLVE, UnsafeMutableRawPointer(addresses)) }
    }

    private static func list(_ lines: [String]) throws(ProviderError) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = unsafe curl_slist_append(list, line) else {
                unsafe curl_slist_free_all(list)
                throw .outOfMemory
            }
            unsafe list = longer
        }
        return unsafe list
    }

    // MARK: What happened

    func offset(_ info: CURLINFO) -> Int64 {
        var value: Int64 = 0
        return unsafe aib_curl_easy_get_offset(handle, info, &value) == CURLE_OK ? value : 0
    }

    /// libcurl's own words about a failure; may be empty.
    var failureDetail: String { unsafe String(cString: errorText) }

    // MARK: With a multi handle

    func attach(to multi: UnsafeMutableRawPointer) -> CURLMcode { unsafe curl_multi_add_handle(multi, handle) }
    func detach(from multi: UnsafeMutableRawPointer) { unsafe _ = curl_multi_remove_handle(multi, handle) }

    /// Sets which directions are paused. May call the data callbacks before it returns.
    func pause(receiving: Bool, sending: Bool) -> CURLcode {
        unsafe curl_easy_pause(handle, (receiving ? CURLPAUSE_RECV : 0) | (sending ? CURLPAUSE_SEND : 0))
    }

    private func check(_ code: CURLcode, _ option: CURLoption) throws(ProviderError) {
        guard code != CURLE_OK else { return }
        throw ProviderError(
            .internal,
            "libcurl refused its option \(option.rawValue): \(unsafe String(cString: curl_easy_strerror(code)))")
    }
}
