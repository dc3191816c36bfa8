use std::io::{Seek, Write};

use jiff::tz::TimeZone;
use weir_model::ids::UpdateIdentity;

use super::{
    Package, PackageError,
    reader::{METADATA_TXT, PACKAGE_XML},
    xml,
};
use crate::cab::{self, MAX_FOLDER, MemberHead};

/// What wsusutil reserves in the header of its cabinets.
const HEADER_RESERVE: u16 = 6144;
/// Bytes of a record besides its document.
const RECORD_FRAME: u64 = 36 + 1 + 8 + 1 + 8 + 1 + 2;

/// Plain bytes of `metadata.txt` for so many records with so many bytes of documents in all.
pub fn metadata_size(records: u64, document_bytes: u64) -> u64 {
    records.saturating_mul(RECORD_FRAME).saturating_add(document_bytes)
}

/// Writes a package in the genuine layout, MSZIP instead of LZX.
#[derive(Debug)]
pub struct Writer<W> {
    cabinet: cab::Writer<W>,
    /// Revisions still to come, the next one last.
    awaited: Vec<UpdateIdentity>,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes `package.xml`. `document_bytes` is the sum of the documents' UTF-8 lengths: a package that a cabinet cannot hold
    /// is refused before anything is written.
    pub fn create(sink: W, package: &Package, document_bytes: u64) -> Result<Self, PackageError> {
        let description = xml::write(package);
        let bytes =
            metadata_size(package.updates.len() as u64, document_bytes).saturating_add(description.len() as u64);
        if bytes > MAX_FOLDER {
            return Err(PackageError::TooLarge { bytes, limit: MAX_FOLDER });
        }
        let (date, time) = dos_time(package.created);
        let member = |name: &str| MemberHead { name: name.into(), date, time };
        let members = vec![member(PACKAGE_XML), member(METADATA_TXT)];
        let mut cabinet = cab::Writer::new(sink, members, HEADER_RESERVE)?;
        cabinet.write(description.as_bytes())?;
        cabinet.end_member()?;
        let awaited = package.updates.iter().rev().map(|update| update.identity).collect();
        Ok(Self { cabinet, awaited })
    }

    /// Writes the next record; they come in the order of `package.updates`.
    pub fn record(&mut self, identity: UpdateIdentity, text: &str) -> Result<(), PackageError> {
        match self.awaited.pop() {
            Some(next) if next == identity => {}
            Some(next) => return Err(PackageError::Write(format!("{identity} comes where {next} is due"))),
            None => return Err(PackageError::Write(format!("{identity} comes after the last"))),
        }
        let UpdateIdentity { update_id, revision } = identity;
        let units = text.encode_utf16().count();
        self.cabinet.write(format!("{update_id},{:08x},{units:08x},", revision.0).as_bytes())?;
        self.cabinet.write(text.as_bytes())?;
        self.cabinet.write(b"\r\n")?;
        Ok(())
    }

    /// Ends the package and gives the sink back.
    pub fn finish(mut self) -> Result<W, PackageError> {
        if let Some(next) = self.awaited.last() {
            return Err(PackageError::Write(format!("{next} and {} more are missing", self.awaited.len() - 1)));
        }
        self.cabinet.end_member()?;
        Ok(self.cabinet.finish()?)
    }
}

/// Date and time of a cabinet member: years from 1980, seconds in pairs. UTC, since the zone is not recorded.
fn dos_time(instant: jiff::Timestamp) -> (u16, u16) {
    let civil = instant.to_zoned(TimeZone::UTC).datetime();
    let year = (i32::from(civil.year()) - 1980).clamp(0, 127) as u16;
    let (month, day) = (civil.month() as u16, civil.day() as u16);
    let (hour, minute, second) = (civil.hour() as u16, civil.minute() as u16, civil.second() as u16);
    let (date, time) = ([year << 9, month << 5, day], [hour << 11, minute << 5, second / 2]);
    (date.iter().sum(), time.iter().sum())
}
