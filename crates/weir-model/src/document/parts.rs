//! The smaller parts of an update document: texts, files, licences, category and handler data.

use std::ops::Range;

use jiff::Timestamp;

use crate::{
    ids::{ContentDigest, Sha256Digest},
    update::CategoryKind,
};

/// Where a part stands in the text it was read from: offsets in bytes, end excluded.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verbatim {
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
}

impl Verbatim {
    /// The part itself; none if `text` is not the text that was read. Declarations of namespaces on elements around it
    /// are not repeated in it.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(Range::from(self))
    }
}

impl From<Verbatim> for Range<usize> {
    fn from(value: Verbatim) -> Self {
        value.start..value.end
    }
}

/// `LocalizedProperties`: the texts of an update in one language, verbatim. Titles may begin or end with blanks or line
/// breaks; trim them for display.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LocalizedProperties {
    /// `Language`: a short name such as `en` or `pt-br`, in any case.
    pub language: String,
    /// `Title`.
    pub title: String,
    /// `Description`.
    pub description: Option<String>,
    /// `UninstallNotes`.
    pub uninstall_notes: Option<String>,
    /// `SupportUrl`.
    pub support_url: Option<String>,
    /// Each `MoreInfoUrl`.
    pub more_info_urls: Vec<String>,
}

/// An `AdditionalDigest` of an algorithm other than SHA-256.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OtherDigest {
    /// `@Algorithm`, as written.
    pub algorithm: String,
    /// Its text, as written.
    pub value: String,
}

/// `Files/File`: a file that a computer needs before it can install the update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// `@Digest`, the SHA-1 that names the file in all protocols.
    pub digest: ContentDigest,
    /// `AdditionalDigest` of algorithm SHA256. Windows 8 and later install nothing without it.
    pub sha256: Option<Sha256Digest>,
    /// `AdditionalDigest` of other algorithms.
    pub other_digests: Vec<OtherDigest>,
    /// `@FileName`, without a path.
    pub name: String,
    /// `@Size` in bytes.
    pub size: u64,
    /// `@Modified`.
    pub modified: Option<Timestamp>,
    /// `@PatchingType`, such as `SelfContained` or `Express`.
    pub patching_type: Option<String>,
    /// `@OriginUri` (publishing schema): where the file can be had, if the document says so. Unchecked text.
    pub origin: Option<String>,
}

impl File {
    /// What follows the last dot of the name, if it is 1 to 16 letters and digits: the extension in content paths.
    pub fn extension(&self) -> Option<&str> {
        let (_, extension) = self.name.rsplit_once('.')?;
        let plain = (1..=16).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then_some(extension)
    }

    /// It holds differences between versions only (MS-WSUSSS 3.1.1.1: such files are kept where ServerHostsPsfFiles says
    /// so).
    pub fn is_express(&self) -> bool {
        self.patching_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("express"))
    }
}

/// `EulaFile`: a licence text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EulaFile {
    /// `@Language`.
    pub language: String,
    /// `@GeoId`: three-letter region; none for the rest of the world.
    pub geo_id: Option<String>,
    /// The text itself is a content file.
    pub file: File,
}

/// `HandlerSpecificData/CategoryInformation` of a category.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CategoryInformation {
    /// `@CategoryType`; none if absent or of another vocabulary.
    pub kind: Option<CategoryKind>,
    /// `@ProhibitsSubcategories`.
    pub prohibits_subcategories: Option<bool>,
    /// `@ProhibitsUpdates`.
    pub prohibits_updates: Option<bool>,
    /// `@ExcludedByDefault`: not among the products that are chosen beforehand.
    pub excluded_by_default: Option<bool>,
    /// `@DisplayOrder`.
    pub display_order: Option<i32>,
}

/// `HandlerSpecificData`: instructions for the installer, which the server passes on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HandlerData {
    /// Value of `xsi:type` as written, such as `cmd:CommandLineInstallation`; empty if absent.
    pub type_name: String,
    /// Namespace that the prefix of the value is bound to; empty if none.
    pub type_namespace: String,
    /// The whole element.
    pub source: Verbatim,
}
