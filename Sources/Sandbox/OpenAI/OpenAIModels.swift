/// The models of the Responses API, as far as a simulator needs to know them.
enum OpenAIModels {
    static let known: Set<String> = [
        "gpt-6.1-sol", "gpt-6-astra", "gpt-6-sol", "gpt-6-luna", "gpt-5.6", "gpt-5.6-sol", "gpt-5.6-terra",
        "gpt-5.6-luna", "gpt-5.5", "gpt-5.5-2026-04-23", "gpt-5.5-pro", "gpt-5.4", "gpt-5.4-2026-03-05",
        "gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", "gpt-5.4-nano", "gpt-5.4-nano-2026-03-17", "gpt-5.4-pro",
        "gpt-5.3-codex", "gpt-5.2", "gpt-5.2-2025-12-11", "gpt-5.1", "gpt-5.1-2025-11-13", "gpt-5", "gpt-5-2025-08-07",
        "gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt-5-nano", "gpt-5-nano-2025-08-07", "gpt-5-pro",
    ]

    /// From gpt-5.6 on, writing to the prompt cache is counted and charged.
    static func chargesCacheWrites(_ model: String) -> Bool {
        model.hasPrefix("gpt-5.6") || model.hasPrefix("gpt-6")
    }
}
