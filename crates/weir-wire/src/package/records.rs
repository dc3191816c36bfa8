//! `metadata.txt`: records `id,revision,length,document CR LF`, framed by the length, which counts UTF-16 units.

use std::{
    collections::BTreeSet,
    io::{Read, Seek},
};

use weir_model::{
    document::{self, Fragments, UpdateDocument},
    ids::{UpdateId, UpdateIdentity},
};

use super::{Limits, Package, PackageError};
use crate::cab::MemberReader;

/// `id,revision,length,` in bytes.
const HEADER: usize = 36 + 1 + 8 + 1 + 8 + 1;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One record: an update document with the identity of its header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Position in `metadata.txt`, from 1.
    pub number: u64,
    /// Identity in the record's header.
    pub identity: UpdateIdentity,
    /// The document, byte for byte.
    pub text: String,
}

impl Record {
    /// Reads the document, derives its fragments and compares its identity with that of the header.
    pub fn document(&self, limits: &document::Limits) -> Result<(UpdateDocument, Fragments), PackageError> {
        let (document, fragments) = document::read(&self.text, limits).map_err(|error| self.invalid(error))?;
        self.check(document.identity)?;
        Ok((document, fragments))
    }

    /// Compares the identity that was found in the document with that of the header.
    pub fn check(&self, inner: UpdateIdentity) -> Result<(), PackageError> {
        if inner == self.identity {
            return Ok(());
        }
        Err(PackageError::Identity { record: self.number, identity: self.identity, inner })
    }

    /// Turns what a document parser complained about into an error that names this record.
    pub fn invalid(&self, source: impl std::error::Error + Send + Sync + 'static) -> PackageError {
        PackageError::Document { record: self.number, identity: self.identity, source: Box::new(source) }
    }
}

/// The records of `metadata.txt`, in its order. Stops after the first error. The end (`None`) comes only after both members
/// were found to name the same revisions.
#[derive(Debug)]
pub struct Records<'a, R> {
    member: MemberReader<'a, R>,
    limits: Limits,
    /// What was read and not yet used, from `start`.
    buffer: Vec<u8>,
    start: usize,
    number: u64,
    /// Revisions of `package.xml` that have not come yet, and those that have.
    awaited: BTreeSet<UpdateIdentity>,
    seen: BTreeSet<UpdateIdentity>,
    ended: bool,
}

impl<'a, R: Read + Seek> Records<'a, R> {
    pub(super) fn new(member: MemberReader<'a, R>, package: &Package, limits: Limits) -> Self {
        let awaited = package.updates.iter().map(|update| update.identity).collect();
        let (buffer, seen) = (Vec::new(), BTreeSet::new());
        Self { member, limits, buffer, start: 0, number: 0, awaited, seen, ended: false }
    }

    fn record(&mut self) -> Result<Option<Record>, PackageError> {
        if self.number == 0 {
            self.fill(BOM.len())?;
            if self.rest().starts_with(BOM) {
                self.start += BOM.len();
            }
        }
        self.fill(HEADER)?;
        if self.rest().is_empty() {
            return match self.awaited.first() {
                Some(&identity) => Err(PackageError::Difference { identity, member: "package.xml" }),
                None => Ok(None),
            };
        }
        self.number += 1;
        let (identity, units) = self.header()?;
        if !self.awaited.remove(&identity) {
            let (record, member) = (self.number, "metadata.txt");
            return Err(if self.seen.contains(&identity) {
                PackageError::Duplicate { record, identity, member }
            } else {
                PackageError::Difference { identity, member }
            });
        }
        self.seen.insert(identity);
        self.start += HEADER;
        let text = self.text(identity, units)?;
        Ok(Some(Record { number: self.number, identity, text }))
    }

    fn header(&self) -> Result<(UpdateIdentity, u64), PackageError> {
        let damaged = |reason: &str| self.damaged(None, reason.into());
        let header = self.rest().get(..HEADER).ok_or_else(|| damaged("the file ends inside its header"))?;
        let header = std::str::from_utf8(header).map_err(|_| damaged("its header is not id,revision,length,"))?;
        let mut fields = header.split(',');
        let (id, revision, length, rest) = (fields.next(), fields.next(), fields.next(), fields.next());
        let hex = |field: Option<&str>| {
            let digits =
                field.filter(|field| field.len() == 8 && field.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            u32::from_str_radix(digits, 16).ok()
        };
        let id = id.and_then(|id| id.parse::<UpdateId>().ok());
        match (id, hex(revision), hex(length), rest, fields.next()) {
            (Some(id), Some(revision), Some(length), Some(""), None) => {
                Ok((UpdateIdentity::new(id, revision), u64::from(length)))
            }
            _ => Err(damaged("its header is not id,revision,length,; the length of the record before may be wrong")),
        }
    }

    /// The document of so many UTF-16 units. An exporter that counted code points is recognised by where CR LF stands.
    fn text(&mut self, identity: UpdateIdentity, units: u64) -> Result<String, PackageError> {
        if units > self.limits.document {
            return Err(self.too_long(identity));
        }
        let utf16: fn(u8) -> u64 = |lead| if lead >= 0xf0 { 2 } else { 1 };
        for units_of in [utf16, |_| 1] {
            let Some(length) = self.measure(identity, units, units_of)? else { continue };
            self.fill(length + 2)?;
            if self.rest().get(length..length + 2) != Some(b"\r\n") {
                continue;
            }
            let text = self.rest().get(..length).unwrap_or_default().to_vec();
            let text = String::from_utf8(text)
                .map_err(|_| self.damaged(Some(identity), "its document is not UTF-8".into()))?;
            self.start += length + 2;
            return Ok(text);
        }
        Err(self.damaged(Some(identity), format!("no line ends after the {units} units that its header announces")))
    }

    /// Bytes that hold exactly so many units; none if no character ends there.
    fn measure(
        &mut self,
        identity: UpdateIdentity,
        units: u64,
        units_of: fn(u8) -> u64,
    ) -> Result<Option<usize>, PackageError> {
        let (mut length, mut counted) = (0_usize, 0);
        loop {
            self.fill(length + 1)?;
            let Some(unread) = self.rest().get(length..).filter(|unread| !unread.is_empty()) else {
                let reason = format!("the file ends after {counted} of its {units} units");
                return Err(self.damaged(Some(identity), reason));
            };
            for &byte in unread {
                // A continuation byte belongs to the character before.
                if byte & 0xc0 != 0x80 {
                    if counted >= units {
                        return Ok((counted == units).then_some(length));
                    }
                    counted += units_of(byte);
                }
                length += 1;
            }
            if length as u64 > self.limits.document.saturating_mul(4) {
                return Err(self.too_long(identity));
            }
        }
    }

    fn too_long(&self, identity: UpdateIdentity) -> PackageError {
        self.damaged(Some(identity), format!("its document is above the limit of {} bytes", self.limits.document))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads until so many bytes are there, or all.
    fn fill(&mut self, wanted: usize) -> Result<(), PackageError> {
        while self.buffer.len() - self.start < wanted {
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            match self.member.chunk()? {
                Some(chunk) => self.buffer.extend_from_slice(chunk),
                None => break,
            }
        }
        Ok(())
    }

    fn damaged(&self, identity: Option<UpdateIdentity>, reason: String) -> PackageError {
        PackageError::Frame { record: self.number, identity, reason }
    }
}

impl<R: Read + Seek> Iterator for Records<'_, R> {
    type Item = Result<Record, PackageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record();
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}
