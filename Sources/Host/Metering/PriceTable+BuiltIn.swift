extension PriceTable {
    /// Prices of Anthropic's and OpenAI's models on their own APIs, in US dollars per token, at the standard service
    /// tier, without batch or data-residency multipliers.
    ///
    /// OpenAI has one price for writing to its cache, from gpt-5.6 on; what an earlier model writes costs what any input
    /// costs. Its plugin counts all writes in the shorter of the two classes.
    ///
    /// Taken from LiteLLM's model price data (https://github.com/BerriAI/litellm, model_prices_and_context_window,
    /// release 1.106.2), Copyright (c) 2023 Berri AI, MIT licence.
    static let builtInText = """
        {"versions": [{
          "id": "2026-11-22", "effective": "2026-11-22", "source": "LiteLLM 1.106.2",
          "models": {"claude": {
          "claude-haiku-4-5": {
            "input": "1e-06", "output": "5e-06", "cache_read": "1e-07",
            "cache_write_5m": "1.25e-06", "cache_write_1h": "2e-06"},
          "claude-haiku-5-5": {
            "input": "1e-07", "output": "5e-07", "cache_read": "1e-08",
            "cache_write_5m": "1.25e-07", "cache_write_1h": "2e-07",
            "tiers": [{
              "above_input_tokens": 100000,
              "input": "5e-07", "output": "2.5e-06", "cache_read": "5e-08",
              "cache_write_5m": "6.25e-07", "cache_write_1h": "1e-06"}]},
          "claude-sonnet-4-5": {
            "input": "3e-06", "output": "1.5e-05", "cache_read": "3e-07",
            "cache_write_5m": "3.75e-06", "cache_write_1h": "6e-06"},
          "claude-sonnet-4-6": {
            "input": "3e-06", "output": "1.5e-05", "cache_read": "3e-07",
            "cache_write_5m": "3.75e-06", "cache_write_1h": "6e-06"},
          "claude-sonnet-5": {
            "input": "2e-06", "output": "1e-05", "cache_read": "2e-07",
            "cache_write_5m": "2.5e-06", "cache_write_1h": "4e-06"},
          "claude-sonnet-5-5": {
            "input": "2e-06", "output": "1e-05", "cache_read": "1e-07",
            "cache_write_5m": "2.5e-06", "cache_write_1h": "4e-06"},
          "claude-opus-4-5": {
            "input": "5e-06", "output": "2.5e-05", "cache_read": "5e-07",
            "cache_write_5m": "6.25e-06", "cache_write_1h": "1e-05"},
          "claude-opus-4-6": {
            "input": "5e-06", "output": "2.5e-05", "cache_read": "5e-07",
            "cache_write_5m": "6.25e-06", "cache_write_1h": "1e-05"},
          "claude-opus-4-7": {
            "input": "5e-06", "output": "2.5e-05", "cache_read": "5e-07",
            "cache_write_5m": "6.25e-06", "cache_write_1h": "1e-05"},
          "claude-opus-4-8": {
            "input": "5e-06", "output": "2.5e-05", "cache_read": "5e-07",
            "cache_write_5m": "6.25e-06", "cache_write_1h": "1e-05"},
          "claude-opus-5": {
            "input": "5e-06", "output": "2.5e-05", "cache_read": "5e-07",
            "cache_write_5m": "6.25e-06", "cache_write_1h": "1e-05"},
          "claude-opus-5-5": {
            "input": "4e-06", "output": "2e-05", "cache_read": "2e-07",
            "cache_write_5m": "5e-06", "cache_write_1h": "8e-06"},
          "claude-fable-5": {
            "input": "1e-05", "output": "5e-05", "cache_read": "1e-06",
            "cache_write_5m": "1.25e-05", "cache_write_1h": "2e-05"},
          "claude-fable-5-1": {
            "input": "1e-05", "output": "5e-05", "cache_read": "2.5e-07",
            "cache_write_5m": "1.25e-05", "cache_write_1h": "2e-05"},
          "claude-mythos-5": {
            "input": "1e-05", "output": "5e-05", "cache_read": "1e-06",
            "cache_write_5m": "1.25e-05", "cache_write_1h": "2e-05"},
          "claude-mythos-5-1": {
            "input": "1e-05", "output": "5e-05", "cache_read": "2.5e-07",
            "cache_write_5m": "1.25e-05", "cache_write_1h": "2e-05"}
          },
          "openai": {
          "gpt-5.3-codex": {
            "input": "1.75e-06", "output": "1.4e-05", "cache_read": "1.75e-07", "cache_write_5m": "1.75e-06"},
          "gpt-5.4": {
            "input": "2.5e-06", "output": "1.5e-05", "cache_read": "2.5e-07", "cache_write_5m": "2.5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "5e-06", "output": "2.25e-05", "cache_read": "5e-07", "cache_write_5m": "5e-06"}]},
          "gpt-5.4-mini": {
            "input": "7.5e-07", "output": "4.5e-06", "cache_read": "7.5e-08", "cache_write_5m": "7.5e-07"},
          "gpt-5.4-nano": {
            "input": "2e-07", "output": "1.25e-06", "cache_read": "2e-08", "cache_write_5m": "2e-07"},
          "gpt-5.5": {
            "input": "5e-06", "output": "3e-05", "cache_read": "5e-07", "cache_write_5m": "5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "1e-05", "output": "4.5e-05", "cache_read": "1e-06", "cache_write_5m": "1e-05"}]},
          "gpt-5.6-luna": {
            "input": "2e-07", "output": "1.2e-06", "cache_read": "2e-08", "cache_write_5m": "2.5e-07",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "4e-07", "output": "1.8e-06", "cache_read": "4e-08", "cache_write_5m": "5e-07"}]},
          "gpt-5.6-sol": {
            "input": "4e-06", "output": "2e-05", "cache_read": "4e-07", "cache_write_5m": "5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "8e-06", "output": "3e-05", "cache_read": "8e-07", "cache_write_5m": "1e-05"}]},
          "gpt-5.6-terra": {
            "input": "2e-06", "output": "1.2e-05", "cache_read": "2e-07", "cache_write_5m": "2.5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "4e-06", "output": "1.8e-05", "cache_read": "4e-07", "cache_write_5m": "5e-06"}]},
          "gpt-6-astra": {
            "input": "1e-05", "output": "5e-05", "cache_read": "1e-06", "cache_write_5m": "1.25e-05",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "2e-05", "output": "7.5e-05", "cache_read": "2e-06", "cache_write_5m": "2.5e-05"}]},
          "gpt-6-luna": {
            "input": "1e-07", "output": "5e-07", "cache_read": "1e-08", "cache_write_5m": "1.25e-07",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "2e-07", "output": "7.5e-07", "cache_read": "2e-08", "cache_write_5m": "2.5e-07"}]},
          "gpt-6-sol": {
            "input": "2e-06", "output": "1e-05", "cache_read": "2e-07", "cache_write_5m": "2.5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "4e-06", "output": "1.5e-05", "cache_read": "4e-07", "cache_write_5m": "5e-06"}]},
          "gpt-6.1-sol": {
            "input": "2e-06", "output": "1e-05", "cache_read": "1e-07", "cache_write_5m": "2.5e-06",
            "tiers": [{
              "above_input_tokens": 272000,
              "input": "4e-06", "output": "1.5e-05", "cache_read": "2e-07", "cache_write_5m": "5e-06"}]}
          }}
        }]}
        """
}
