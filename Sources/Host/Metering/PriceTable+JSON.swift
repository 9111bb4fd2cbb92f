public import Domain

extension PriceTable {
    /// Reads a table:
    ///
    /// ```json
    /// {"versions": [{"id": "2026-11-22", "effective": "2026-11-22", "source": "price list of …",
    ///   "models": {"claude": {"claude-haiku-4-5": {
    ///     "input": "1e-06", "output": "5e-06", "cache_read": "1e-07", "cache_write_5m": "1.25e-06",
    ///     "cache_write_1h": "2e-06",
    ///     "tiers": [{"above_input_tokens": 200000, "input": "2e-06", "output": "1e-05"}]}}}}]}
    /// ```
    ///
    /// Prices are US dollars per token, exact to the pico-dollar, as strings or numbers. `source`, the cache prices
    /// and `tiers` may be absent; a tier holds for requests with more input tokens, cached ones included, than its
    /// threshold.
    ///
    /// - Throws: everything that is wrong, with pointers.
    public init(json: JSON) throws(Diagnostics) {
        var reader = PriceReader()
        let versions = reader.versions(json)
        guard reader.faults.isEmpty else { throw Diagnostics(reader.faults) }
        self.init(versions: versions)
    }
}

/// Reads a table's JSON and collects what is wrong with it.
private struct PriceReader {
    private static let prices = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]

    var faults: [Diagnostic] = []

    mutating func versions(_ json: JSON) -> [PriceVersion] {
        guard let table = object(json, allowed: ["versions"], at: "") else { return [] }
        guard let elements = table["versions"]?.arrayValue, !elements.isEmpty else {
            report("missing_field", "\"versions\" must be an array of at least one version", "/versions")
            return []
        }
        var seen: Set<String> = []
        return elements.enumerated().compactMap { index, element in
            let pointer = "/versions/\(index)"
            guard let version = version(element, at: pointer) else { return nil }
            guard seen.insert(version.id).inserted else {
                report("duplicate_version", "the version \"\(version.id)\" is given twice", "\(pointer)/id")
                return nil
            }
            return version
        }
    }

    private mutating func version(_ json: JSON, at pointer: String) -> PriceVersion? {
        guard let version = object(json, allowed: ["id", "effective", "source", "models"], at: pointer) else {
            return nil
        }
        let id = version["id"]?.stringValue ?? ""
        if id.isEmpty || id.utf8.count > 100 {
            report("missing_field", "a version needs an \"id\" of 1 to 100 bytes", "\(pointer)/id")
        }
        let effective = version["effective"]?.stringValue.flatMap { Timestamp(day: $0) }
        if effective == nil {
            report("invalid_date", "\"effective\" must be a day such as 2026-11-22", "\(pointer)/effective")
        }
        var models: [String: [String: ModelPrice]] = [:]
        if let providers = version["models"]?.objectValue {
            for provider in providers.members {
                let path = "\(pointer)/models/\(provider.key)"
                for model in object(provider.value, allowed: nil, at: path)?.members ?? [] {
                    models[provider.key, default: [:]][model.key] = price(model.value, at: "\(path)/\(model.key)")
                }
            }
        } else {
            report("missing_field", "a version needs \"models\", an object by provider and model", "\(pointer)/models")
        }
        return effective.map { PriceVersion(id: id, effective: $0, models: models) }
    }

    private mutating func price(_ json: JSON, at pointer: String) -> ModelPrice? {
        guard let model = object(json, allowed: Self.prices + ["tiers"], at: pointer) else { return nil }
        var tiers = [tier(model, above: -1, at: pointer)]
        if let value = model["tiers"] {
            guard let elements = value.arrayValue else {
                report("wrong_type", "\"tiers\" must be an array, not \(value.typeName)", "\(pointer)/tiers")
                return nil
            }
            for (index, element) in elements.enumerated() {
                let path = "\(pointer)/tiers/\(index)"
                guard let tier = object(element, allowed: Self.prices + ["above_input_tokens"], at: path) else {
                    continue
                }
                guard let threshold = tier["above_input_tokens"]?.integerValue,
                    threshold > tiers.last??.aboveInputTokens ?? 0, threshold > 0
                else {
                    report("out_of_range", "\"above_input_tokens\" must be a whole number, rising", path)
                    continue
                }
                tiers.append(self.tier(tier, above: threshold, at: path))
            }
        }
        return ModelPrice(tiers: tiers.compactMap { $0 })
    }

    private mutating func tier(_ json: JSONObject, above: Int64, at pointer: String) -> ModelPrice.Tier? {
        let input = money(json, "input", required: true, at: pointer)
        let output = money(json, "output", required: true, at: pointer)
        let cacheRead = money(json, "cache_read", required: false, at: pointer)
        let write5m = money(json, "cache_write_5m", required: false, at: pointer)
        let write1h = money(json, "cache_write_1h", required: false, at: pointer)
        guard let input, let output else { return nil }
        return ModelPrice.Tier(
            aboveInputTokens: above, input: input, output: output, cacheRead: cacheRead, cacheWrite5m: write5m,
            cacheWrite1h: write1h)
    }

    private mutating func money(_ json: JSONObject, _ key: String, required: Bool, at pointer: String) -> Money? {
        guard let value = json[key] else {
            if required { report("missing_field", "a price for \"\(key)\" is missing", "\(pointer)/\(key)") }
            return nil
        }
        let digits: String? =
            switch value {
            case .string(let text), .decimal(let text): text
            case .integer(let number): String(number)
            default: nil
            }
        if let money = digits.flatMap({ Money(decimal: $0) }), money >= .zero { return money }
        report(
            "invalid_price",
            "\"\(key)\" is \(value.text); it must be dollars per token, not negative, exact to twelve decimals",
            "\(pointer)/\(key)")
        return nil
    }

    private mutating func object(_ json: JSON, allowed: [String]?, at pointer: String) -> JSONObject? {
        guard let object = json.objectValue else {
            report("wrong_type", "an object is expected, not \(json.typeName)", pointer)
            return nil
        }
        for key in object.keys {
            guard let allowed, !allowed.contains(key) else { continue }
            report(
                "unknown_key", "\"\(key)\" is not known here; allowed are \(allowed.joined(separator: ", "))",
                "\(pointer)/\(key)", suggestion: Spelling.nearest(to: key, among: allowed))
        }
        return object
    }

    private mutating func report(_ code: String, _ message: String, _ pointer: String, suggestion: String? = nil) {
        faults.append(Diagnostic(code: code, message: message, suggestion: suggestion, pointer: pointer))
    }
}
