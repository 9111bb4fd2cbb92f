import Domain
import Metering

enum Prices {
    /// The built-in prices, under the operator's own.
    static func load(_ settings: Settings) throws -> PriceTable {
        guard let path = settings.pricesFile else { return .builtIn }
        guard let bytes = File.read(path, limit: 16_777_216) else {
            throw StartFailure("the price table \(path) cannot be read; check prices_file")
        }
        do {
            return PriceTable.builtIn.adding(try PriceTable(json: JSON.parse(bytes)))
        } catch let faults as Diagnostics {
            throw ValidationFailure(Diagnostics(faults.all, file: path))
        } catch {
            throw StartFailure("\(path): \(error)")
        }
    }
}
