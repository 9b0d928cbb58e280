//! What functions want to be given, in the words of Go's types.

/// A type of Go, as far as functions of charts have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::helm) enum Kind {
    Text,
    Whole,
    Float,
    Bool,
    Map,
    Any,
}

impl Kind {
    fn of(letter: u8) -> Self {
        match letter {
            b's' => Self::Text,
            b'i' => Self::Whole,
            b'f' => Self::Float,
            b'b' => Self::Bool,
            b'm' => Self::Map,
            _ => Self::Any,
        }
    }

    /// Go's name for it.
    pub(in crate::helm) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Whole => "int",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Map => "map[string]interface {}",
            Self::Any => "interface {}",
        }
    }
}

/// One letter for each argument; a star says that there may be any number of the last.
#[derive(Debug, Clone, Copy)]
pub(in crate::helm) struct Signature(&'static str);

impl Signature {
    /// How many there must be, at least.
    pub(in crate::helm) fn fixed(self) -> usize {
        if self.is_open() { self.0.len() - 2 } else { self.0.len() }
    }

    /// Whether there may be more.
    pub(in crate::helm) fn is_open(self) -> bool {
        self.0.ends_with('*')
    }

    /// What the argument of a number has to be.
    pub(in crate::helm) fn kind(self, number: usize) -> Kind {
        let letters = self.0.trim_end_matches('*').as_bytes();
        letters.get(number).or(letters.last()).map_or(Kind::Any, |letter| Kind::of(*letter))
    }
}

const SIGNATURES: [(&str, &str); 17] = [
    ("", "now uuidv4 hello"),
    (
        "s",
        "upper lower title untitle swapcase trim nospace initials snakecase camelcase kebabcase shuffle \
         regexQuoteMeta base dir clean ext isAbs osBase osDir osClean osExt osIsAbs b64enc b64dec b32enc b32dec \
         sha1sum sha256sum sha512sum adler32sum atoi fromYaml fromYamlArray fromJson fromJsonArray fromToml \
         semver fail urlParse getHostByName genPrivateKey bcrypt",
    ),
    (
        "ss",
        "trimAll trimall trimSuffix trimPrefix contains hasPrefix hasSuffix split splitList regexMatch regexFind \
         semverCompare toDate htpasswd encryptAES decryptAES",
    ),
    ("sss", "replace regexReplaceAll regexReplaceAllLiteral"),
    ("ssss", "lookup"),
    ("is", "trunc abbrev indent nindent repeat wrap"),
    ("iis", "abbrevboth substr"),
    ("ssi", "plural regexFindAll regexSplit"),
    ("i", "until randAlphaNum randAlpha randNumeric randAscii randBytes"),
    (
        "a",
        "toString toStrings sortAlpha toYaml toYamlPretty toJson toRawJson toPrettyJson toToml int int64 float64 \
         toDecimal add1 add1f floor ceil empty typeOf kindOf deepCopy first last rest initial reverse uniq compact \
         not len ago duration durationRound htmlDate unixEpoch",
    ),
    ("aa", "append push prepend has sub div mod deepEqual ne lt le gt ge"),
    ("a*", "quote squote cat add addf coalesce all any tuple list dict concat print println html js urlquery dig"),
    ("aa*", "default mul subf divf mulf biggest max min maxf minf without slice and or eq index call"),
    ("sa", "join typeIs typeIsLike kindIs include tpl required date dateModify date_modify htmlDateInZone"),
    ("mm*", "merge mergeOverwrite keys"),
    ("ms*", "pick omit"),
    ("m", "values urlJoin"),
];

/// Functions that are alone with what they want.
const OTHERS: [(&str, &str); 22] = [
    ("wrapWith", "iss"),
    ("splitn", "sis"),
    ("ternary", "aab"),
    ("untilStep", "iii"),
    ("seq", "i*"),
    ("randInt", "ii"),
    ("round", "aif*"),
    ("chunk", "ia"),
    ("get", "ms"),
    ("hasKey", "ms"),
    ("unset", "ms"),
    ("set", "msa"),
    ("pluck", "sm*"),
    ("printf", "sa*"),
    ("dateInZone", "sas"),
    ("date_in_zone", "sas"),
    ("keys", "m*"),
    ("htmlDateInZone", "as"),
    ("derivePassword", "issss"),
    ("genCA", "si"),
    ("genSelfSignedCert", "saai"),
    ("genSignedCert", "saaia"),
];

/// What a function wants; none for one that there is not.
pub(in crate::helm) fn of(name: &str) -> Option<Signature> {
    let alone = OTHERS.iter().find(|(known, _)| *known == name).map(|(_, letters)| *letters);
    let among = || {
        let found = SIGNATURES.iter().find(|(_, names)| names.split_whitespace().any(|known| known == name));
        found.map(|(letters, _)| *letters)
    };
    alone.or_else(among).map(Signature)
}
