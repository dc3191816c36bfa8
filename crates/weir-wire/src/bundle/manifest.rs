//! The manifest: JSON, bounded, and consistent in itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::BundleError;

const FORMAT: &str = "weir-bundle";
const VERSION: u32 = 1;
/// Bytes of a manifest.
const LONGEST: usize = 2_900_000;
/// Parts of one bundle.
pub const MOST_PARTS: usize = 16_000;
/// Sections of one bundle.
const MOST_SECTIONS: usize = 100;
/// A part is at least allowed to be this large, in bytes; it may always be smaller.
pub const SMALLEST_PART: u64 = 4 << 20;
/// Characters of a name.
const LONGEST_NAME: usize = 255;

/// Kinds of sections. A section of another kind is passed over by who does not know it.
pub mod section {
    /// Update documents: [`super::super::Document`] records.
    pub const DOCUMENTS: &str = "documents";
    /// Where files are offered: [`super::super::Source`] records.
    pub const SOURCES: &str = "sources";
    /// Licence files, in the form of [`super::super::Files`].
    pub const LICENCES: &str = "licences";
    /// Other content files, in the form of [`super::super::Files`].
    pub const FILES: &str = "files";
    /// Decisions of a kind: JSON records; the kind of the objects follows.
    pub const INTENT: &str = "intent.";
}

/// Who made a bundle.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// GUID of the server.
    pub server: Uuid,
    /// Version of its software, for people.
    pub software: String,
}

/// What the receiver must have before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Base {
    /// An earlier bundle of the same issuer.
    Bundle {
        /// Its id.
        id: Uuid,
        /// Its place in the order.
        sequence: u64,
    },
    /// What the receiver said that it has.
    Inventory {
        /// GUID of the receiving server.
        server: Uuid,
        /// The receiver's change number then.
        change: u64,
    },
}

/// A part. Its file is named as the manifest's, with its number from 1 in at least three digits behind a dot.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A section: one stream of bytes that runs through the frames of consecutive parts.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// What is in it (see [`section`]).
    pub kind: String,
    /// Version of the form of its records.
    pub version: u32,
    /// Records.
    pub records: u64,
    /// Bytes of the stream, unpacked.
    pub bytes: u64,
}

/// How much there is, for people and for progress.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Revisions.
    pub revisions: u64,
    /// Content files, licence files included.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// Files that were wanted and are not here at the issuer.
    pub files_missing: u64,
    /// Decisions.
    pub objects: u64,
}

/// What a bundle is. Signed as the exact bytes of its file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `weir-bundle`.
    format: String,
    /// 1.
    version: u32,
    /// Its id.
    pub bundle: Uuid,
    /// Who made it.
    pub issuer: Issuer,
    /// Its place in the issuer's order, from 1.
    pub sequence: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the receiver must have before; none for a full one.
    pub base: Option<Base>,
    /// Everything that the issuer had up to this change is in it, or in what it builds on.
    pub change: u64,
    /// How much there is.
    pub counts: Counts,
    /// Its sections, in their order.
    pub sections: Vec<Section>,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
}

/// Only as much as tells which version a manifest has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: serde_json::Number,
}

impl Manifest {
    /// A manifest of this version.
    pub fn new(
        bundle: Uuid,
        issuer: Issuer,
        sequence: u64,
        created_at: Timestamp,
        base: Option<Base>,
        change: u64,
        counts: Counts,
        sections: Vec<Section>,
        parts: Vec<Part>,
    ) -> Self {
        let format = FORMAT.to_owned();
        Self { format, version: VERSION, bundle, issuer, sequence, created_at, base, change, counts, sections, parts }
    }

    /// Reads and checks a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > LONGEST {
            return Err(BundleError::Limit { what: "bytes of its manifest", limit: LONGEST as u64 });
        }
        let damaged = |error: serde_json::Error| BundleError::Manifest(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(BundleError::Manifest(format!("its format is not {FORMAT:?}")));
        }
        if head.version.as_u64() != Some(u64::from(VERSION)) {
            return Err(BundleError::Version { found: head.version.to_string(), wanted: VERSION });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes of its file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        self.check()?;
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| BundleError::Manifest(error.to_string()))?;
        bytes.push(b'\n');
        if bytes.len() > LONGEST {
            return Err(BundleError::Limit { what: "bytes of its manifest", limit: LONGEST as u64 });
        }
        Ok(bytes)
    }

    /// Bytes of all parts.
    pub fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.size).fold(0, u64::saturating_add)
    }

    fn check(&self) -> Result<(), BundleError> {
        let wrong = |what: String| Err(BundleError::Manifest(what));
        for (what, count, limit) in [
            ("parts", self.parts.len(), MOST_PARTS),
            ("sections", self.sections.len(), MOST_SECTIONS),
            ("characters of the issuer's software", self.issuer.software.chars().count(), LONGEST_NAME),
        ] {
            if count > limit {
                return Err(BundleError::Limit { what, limit: limit as u64 });
            }
        }
        if self.sequence == 0 {
            return wrong("its sequence is 0".to_owned());
        }
        if let Some(Base::Bundle { sequence, .. }) = self.base
            && sequence >= self.sequence
        {
            return wrong(format!("it builds on bundle {sequence} and is number {}", self.sequence));
        }
        for (number, part) in self.parts.iter().enumerate() {
            let digits = part.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if part.sha256.len() != 64 || !digits || part.size == 0 {
                return wrong(format!("part {} has no size or no digest", number + 1));
            }
        }
        let mut seen = BTreeSet::new();
        for section in &self.sections {
            if section.kind.is_empty() || section.kind.len() > LONGEST_NAME || section.kind.contains(char::is_control) {
                return wrong("a section has no usable kind".to_owned());
            }
            if !seen.insert(section.kind.as_str()) {
                return wrong(format!("the section {:?} is there twice", section.kind));
            }
        }
        if self.parts.is_empty() && self.sections.iter().any(|section| section.bytes > 0) {
            return wrong("it has sections and no parts".to_owned());
        }
        Ok(())
    }
}
