//! The common form of what documents say.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::text::{cut, numbers};
use crate::update::Severity;

/// Characters of a name that an error repeats.
const SHOWN: usize = 80;

/// Why a text is no identifier.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentifierError {
    /// Not `KB` and 4 to 8 digits.
    #[error("{0:?} is not a knowledge base article such as KB5034123")]
    Article(String),
    /// Not four numbers.
    #[error("{0:?} is not a build of four numbers such as 10.0.19045.3930")]
    Build(String),
    /// Not `CVE-`, four digits, `-` and 4 to 19 digits.
    #[error("{0:?} is not a CVE id such as CVE-2024-21302")]
    Cve(String),
}

/// A CVE id, upper case (the pattern of the CSAF 2.0 schema and of KEV: `CVE-[0-9]{4}-[0-9]{4,19}`).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Cve(String);

impl Cve {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cve {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let upper = text.trim().to_ascii_uppercase();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = upper.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
            year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number)
        });
        if fits { Ok(Self(upper)) } else { Err(IdentifierError::Cve(cut(text, SHOWN))) }
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cve {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The number of a knowledge base article.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Article(pub u32);

impl FromStr for Article {
    type Err = IdentifierError;

    /// Reads `KB5034123` or `5034123`.
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let text = text.trim();
        let digits = text.strip_prefix("KB").or_else(|| text.strip_prefix("kb")).unwrap_or(text);
        let fits = (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| fits);
        number.map(Self).ok_or_else(|| IdentifierError::Article(cut(text, SHOWN)))
    }
}

impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KB{}", self.0)
    }
}

/// An exact build `a.b.c.d`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Build(pub [u32; 4]);

impl FromStr for Build {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let wrong = || IdentifierError::Build(cut(text, SHOWN));
        let mut numbers = [0; 4];
        let mut parts = text.trim().split('.');
        for number in &mut numbers {
            let part = parts.next().ok_or_else(wrong)?;
            let fits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            *number = part.parse().ok().filter(|_| fits).ok_or_else(wrong)?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self(numbers)) }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

impl Build {
    /// The build that an agent of Windows 10 or later tells with each scan: `OSVersion` among the `name=value;` pairs of
    /// DeviceAttributes (SyncUpdates, MS-WUSP 2.2.2.2.4), as recorded. None if there is no such pair or it is no build.
    pub fn of_device(attributes: &str) -> Option<Self> {
        const NAME: &str = "OSVersion=";
        let begins =
            |at: &usize| attributes.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(';'));
        let (at, _) = attributes.match_indices(NAME).find(|(at, _)| begins(at))?;
        let value = attributes.get(at + NAME.len()..)?;
        value.split(';').next()?.parse().ok()
    }
}

impl Serialize for Build {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Build {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A CVSS base score.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Score {
    /// In tenths, 0 to 100.
    pub tenths: u8,
    /// The vector, at most 200 characters; empty if it was not given.
    pub vector: String,
}

/// Something that fixes a vulnerability.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Fix {
    /// The article of the update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<Article>,
    /// How the document names it: the article, else a text of at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The build that has the fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// Articles that it replaces, as the document says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<Article>,
    /// Products that it is for: places in [`Advisory::products`], ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<u32>,
}

/// A vulnerability as one document has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// Which.
    pub cve: Cve,
    /// Its title, at most 500 characters.
    pub title: String,
    /// How severe its vendor says it is; the highest over products.
    pub severity: Option<Severity>,
    /// Its CVSS base score; the highest over products.
    pub score: Option<Score>,
    /// The vendor says that it is exploited.
    pub exploited: bool,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When what is said of it was revised last.
    pub revised: Option<Timestamp>,
    /// Affected products: places in [`Advisory::products`], ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<u32>,
    /// What fixes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

/// What an advisory says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Advisory {
    /// Names of products, each once, at most 300 characters.
    pub products: Vec<String>,
    /// Vulnerabilities by CVE, each once.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// An entry of the KEV catalogue.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct KnownExploited {
    /// Which.
    pub cve: Cve,
    /// Its name, at most 500 characters.
    pub name: String,
    /// Vendor and product, at most 300 characters.
    pub product: String,
    /// Since when it is listed.
    pub added: Date,
    /// Until when the catalogue asks for action.
    pub due: Option<Date>,
    /// It is used in ransomware campaigns: `knownRansomwareCampaignUse` is `Known`.
    pub ransomware: bool,
}

/// What kind of document.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// CSAF 2.0.
    Csaf,
    /// CVRF, as XML or JSON.
    Cvrf,
    /// The catalogue of known exploited vulnerabilities.
    Kev,
}

impl DocumentKind {
    /// The word of it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csaf => "csaf",
            Self::Cvrf => "cvrf",
            Self::Kev => "kev",
        }
    }
}

/// Which state of a document this is. They are ordered: later ones replace earlier ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revision {
    /// Date of the current release.
    pub at: Timestamp,
    /// Its version, at most 64 characters.
    pub version: String,
}

impl Revision {
    /// How it stands to another one: by date, then by the numbers of the versions.
    pub fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at).then_with(|| numbers(&self.version).cmp(&numbers(&other.version)))
    }
}

/// A document in the common form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// What kind.
    pub kind: DocumentKind,
    /// Who made it, so that ids of several publishers do not meet: the namespace of a CSAF publisher; empty for others.
    pub issuer: String,
    /// Its id, at most 256 characters.
    pub id: String,
    /// Its title, at most 500 characters.
    pub title: String,
    /// When it was released first.
    pub released: Option<Timestamp>,
    /// Which state of it this is.
    pub revision: Revision,
    /// Vulnerabilities left out because they have no CVE id.
    pub skipped: u64,
    /// What it says.
    pub content: Content,
}

/// What a document says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// Vulnerabilities and fixes.
    Advisory(Advisory),
    /// Known exploited vulnerabilities by CVE, each once.
    KnownExploited(Vec<KnownExploited>),
}

impl Content {
    /// How many vulnerabilities there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Advisory(advisory) => advisory.vulnerabilities.len(),
            Self::KnownExploited(entries) => entries.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
