use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{ContentDigest, UpdateId, UpdateIdentity};

/// The 39 languages of the protocol in the order of genuine packages and of GetConfigData: id, short and long name.
pub const LANGUAGES: [(u32, &str, &str); 39] = [
    (0, "all", "all"),
    (1025, "ar", "Arabic"),
    (1026, "bg", "Bulgarian"),
    (1028, "zh-tw", "Chinese (Traditional)"),
    (1029, "cs", "Czech"),
    (1030, "da", "Danish"),
    (1031, "de", "German"),
    (1032, "el", "Greek"),
    (1033, "en", "English"),
    (1034, "es", "Spanish"),
    (1035, "fi", "Finnish"),
    (1036, "fr", "French"),
    (1037, "he", "Hebrew"),
    (1038, "hu", "Hungarian"),
    (1040, "it", "Italian"),
    (1041, "ja", "Japanese"),
    (1042, "ko", "Korean"),
    (1043, "nl", "Dutch"),
    (1044, "no", "Norwegian"),
    (1045, "pl", "Polish"),
    (1046, "pt-br", "Portuguese (Brazil)"),
    (1048, "ro", "Romanian"),
    (1049, "ru", "Russian"),
    (1050, "hr", "Croatian"),
    (1051, "sk", "Slovak"),
    (1053, "sv", "Swedish"),
    (1054, "th", "Thai"),
    (1055, "tr", "Turkish"),
    (1058, "uk", "Ukrainian"),
    (1060, "sl", "Slovenian"),
    (1061, "et", "Estonian"),
    (1062, "lv", "Latvian"),
    (1063, "lt", "Lithuanian"),
    (1081, "hi", "Hindi"),
    (2052, "zh-cn", "Chinese (Simplified)"),
    (2070, "pt", "Portuguese (Portugal)"),
    (2074, "sr", "Serbian (Latin)"),
    (3076, "zh-hk", "Chinese (Hong Kong SAR)"),
    (66577, "ja-nec", "Japanese NEC"),
];

/// `ExportPackage/@ProtocolVersion`: the exporter's server synchronization protocol, such as 1.20.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProtocolVersion {
    /// Must be 1.
    pub major: u32,
    /// 8 in 2015, 20 since WSUS 10.0.
    pub minor: u32,
}

/// A row of `Languages`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Language {
    /// Windows locale id, 0 for all.
    pub id: u32,
    /// Such as `pt-br`.
    pub short_name: String,
    /// In English.
    pub long_name: String,
    /// The exporter synchronized this language.
    pub enabled: bool,
}

/// A row of `Files`: where Microsoft offers a content file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackageFile {
    /// SHA-1 of the file.
    pub digest: ContentDigest,
    /// Source URL, not checked beyond its length.
    pub mu_url: String,
    /// Name of the file in the documents.
    pub name: String,
}

/// A row of `Updates`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackageUpdate {
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Digests of its own files.
    pub files: Vec<ContentDigest>,
    /// Its products. A cross-check only: the documents decide.
    pub categories: Vec<UpdateId>,
    /// Its classifications, likewise.
    pub classifications: Vec<UpdateId>,
}

/// `package.xml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    /// GUID of the exporting server.
    pub server_id: Uuid,
    /// When it was made; the package holds whole seconds.
    pub created: Timestamp,
    /// The exporter's protocol.
    pub protocol: ProtocolVersion,
    /// All languages the exporter knows.
    pub languages: Vec<Language>,
    /// Every distinct file with a source URL.
    pub files: Vec<PackageFile>,
    /// Every revision, in the order of `metadata.txt` in genuine packages.
    pub updates: Vec<PackageUpdate>,
}
