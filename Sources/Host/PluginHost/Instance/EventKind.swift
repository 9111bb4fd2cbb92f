import PluginABI

/// The kinds of event that a plugin gets of its call.
enum EventKind: Sendable {
    case httpHead, httpData, httpEnd, hmac, timer, blob, writable, fail

    /// As the ABI numbers it.
    var number: UInt32 {
        let number =
            switch self {
            case .httpHead: AIB_EV_HTTP_HEAD
            case .httpData: AIB_EV_HTTP_DATA
            case .httpEnd: AIB_EV_HTTP_END
            case .hmac: AIB_EV_HMAC
            case .timer: AIB_EV_TIMER
            case .blob: AIB_EV_BLOB
            case .writable: AIB_EV_WRITABLE
            case .fail: AIB_EV_FAIL
            }
        return UInt32(number)
    }
}
