/// The characters, as a reader counts them, that one place of an `InputPattern` takes.
struct CharacterClass: Sendable {
    enum Member: Sendable {
        case character(Character)
        case range(ClosedRange<UInt32>)
        case digit, word, space
        case category(Set<Unicode.GeneralCategory>)
        case set(CharacterClass)
        /// Any but the ends of lines.
        case inLine
    }

    var members: [Member] = []
    var isNegated = false
    var ignoresCase = false

    func contains(_ character: Character) -> Bool {
        if holds(character) { return !isNegated }
        guard ignoresCase else { return isNegated }
        let folded = [character.lowercased(), character.uppercased()].compactMap {
            $0.count == 1 ? $0.first : nil
        }
        return folded.contains { holds($0) } != isNegated
    }

    private func holds(_ character: Character) -> Bool {
        members.contains { Self.holds($0, character) }
    }

    private static func holds(_ member: Member, _ character: Character) -> Bool {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return false }
        switch member {
        case .character(let other): return other == character
        case .range(let range): return scalars.count == 1 && range.contains(first.value)
        case .digit: return scalars.count == 1 && first.properties.generalCategory == .decimalNumber
        case .space: return scalars.allSatisfy(\.properties.isWhitespace)
        case .word:
            return isMarked(scalars) && (first.properties.isAlphabetic || wordCategories.contains(first))
        case .category(let categories): return isMarked(scalars) && categories.contains(first)
        case .set(let set): return set.contains(character)
        case .inLine: return !character.isNewline
        }
    }

    /// Whether all behind the first scalar is marks that belong to it.
    private static func isMarked(_ scalars: Character.UnicodeScalarView) -> Bool {
        scalars.dropFirst().allSatisfy { marks.contains($0) }
    }

    private static let marks: Set<Unicode.GeneralCategory> = [
        .nonspacingMark, .spacingMark, .enclosingMark,
    ]
    private static let wordCategories = marks.union([.decimalNumber, .connectorPunctuation])

    /// The general categories of a name of Unicode's: `L`, `Lu`, `Nd`; nil where there is none of this name.
    static func categories(_ name: Substring) -> Set<Unicode.GeneralCategory>? {
        let found = names.filter { name.count == 1 ? $0.key.hasPrefix(name) : $0.key == name }
        return found.isEmpty ? nil : Set(found.values)
    }

    private static let names: [String: Unicode.GeneralCategory] = [
        "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter, "Lm": .modifierLetter,
        "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark, "Me": .enclosingMark,
        "Nd": .decimalNumber,
        "Nl": .letterNumber, "No": .otherNumber, "Pc": .connectorPunctuation, "Pd": .dashPunctuation,
        "Ps": .openPunctuation, "Pe": .closePunctuation, "Pi": .initialPunctuation,
        "Pf": .finalPunctuation,
        "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol,
        "So": .otherSymbol,
        "Zs": .spaceSeparator, "Zl": .lineSeparator, "Zp": .paragraphSeparator, "Cc": .control,
        "Cf": .format,
        "Cs": .surrogate, "Co": .privateUse, "Cn": .unassigned,
    ]
}

extension Set<Unicode.GeneralCategory> {
    fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
        contains(scalar.properties.generalCategory)
    }
}
