use std::io::{Read, Seek, SeekFrom};

use flate2::read::GzDecoder;

use super::{Package, PackageError, Records, xml};
use crate::cab::{self, CabError};

/// Bounds of what a reader accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Plain bytes of `package.xml`.
    pub package_xml: u64,
    /// Plain bytes of `metadata.txt`.
    pub metadata: u64,
    /// UTF-16 units of one document.
    pub document: u64,
    /// Revisions.
    pub updates: usize,
}

impl Default for Limits {
    /// 256 MiB, 2 GiB (a cabinet holds no more), 128 Mi units (the largest known document has about 60) and 1,000,000.
    fn default() -> Self {
        Self { package_xml: 256 << 20, metadata: 2 << 30, document: 128 << 20, updates: 1_000_000 }
    }
}

/// Inflated bytes within which the root element of the gzip form must begin.
const ROOT_WITHIN: u64 = 64 << 10;

pub(super) const PACKAGE_XML: &str = "package.xml";
pub(super) const METADATA_TXT: &str = "metadata.txt";

/// An open package: frame and `package.xml` are checked.
#[derive(Debug)]
pub struct Reader<R> {
    cabinet: cab::Reader<R>,
    package: Package,
    limits: Limits,
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a package; what it is, is told by its first bytes, not by a name.
    pub fn open(mut source: R, limits: &Limits) -> Result<Self, PackageError> {
        let mut magic = Vec::new();
        source.by_ref().take(2).read_to_end(&mut magic).map_err(CabError::Io)?;
        source.seek(SeekFrom::Start(0)).map_err(CabError::Io)?;
        if magic == [0x1f, 0x8b] {
            return Err(PackageError::Gzip { root: root_of_gzip(source) });
        }
        let folder_bytes = limits.package_xml.saturating_add(limits.metadata).min(1 << 31);
        let mut cabinet = cab::Reader::open(source, &cab::Limits { folder_bytes, ..cab::Limits::default() })?;
        // A missing second member is told before the first is read.
        let metadata = cabinet.member(METADATA_TXT)?.remaining();
        if metadata > limits.metadata {
            return Err(PackageError::Limit { what: "bytes in metadata.txt", limit: limits.metadata });
        }
        let package = xml::read(&cabinet.read(PACKAGE_XML, limits.package_xml)?, limits)?;
        Ok(Self { cabinet, package, limits: *limits })
    }

    /// `package.xml`.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Plain bytes of `metadata.txt`, for progress.
    pub fn metadata_bytes(&self) -> u64 {
        let member = self.cabinet.members().iter().find(|member| member.name.eq_ignore_ascii_case(METADATA_TXT));
        member.map_or(0, |member| u64::from(member.size))
    }

    /// Starts to read `metadata.txt`; may be called again to start over.
    pub fn records(&mut self) -> Result<Records<'_, R>, PackageError> {
        Ok(Records::new(self.cabinet.member(METADATA_TXT)?, &self.package, self.limits))
    }
}

/// Name of the root element of the `.xml.gz` form, for the error message: its layout is documented nowhere.
fn root_of_gzip(source: impl Read) -> Option<String> {
    let mut source = GzDecoder::new(source).take(ROOT_WITHIN);
    let (mut start, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        // No further than the name; what was inflated before an error counts, too.
        let read = source.read(&mut piece).unwrap_or(0);
        start.extend_from_slice(piece.get(..read).unwrap_or_default());
        match root_name(&String::from_utf8_lossy(&start)) {
            Some((name, ended)) if ended || read == 0 => return Some(name),
            None if read == 0 => return None,
            _ => {}
        }
    }
}

/// The name after the first `<` that opens an element, past declaration and comments, and whether all of it is there.
fn root_name(start: &str) -> Option<(String, bool)> {
    let mut rest = start;
    loop {
        rest = rest.split_once('<')?.1;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if rest.starts_with(['?', '!']) {
            rest = rest.split_once('>')?.1;
        } else {
            break;
        }
    }
    let part = |c: char| c.is_alphanumeric() || ":_-.".contains(c);
    let name: String = rest.chars().take_while(|c| part(*c)).take(80).collect();
    let ended = rest.chars().count() > name.chars().count();
    (!name.is_empty()).then_some((name, ended))
}
