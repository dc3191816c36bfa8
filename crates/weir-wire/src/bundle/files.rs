//! Sections of files: for each a record that says what it is, then its bytes.

use weir_model::ids::{ContentDigest, Sha256Digest};

use super::{BundleError, Records, write_record};

/// Characters of an extension, with its dot.
const LONGEST_EXTENSION: usize = 11;

/// What a file is: 20 bytes SHA-1, 32 bytes SHA-256, 8 bytes length, the extension with its dot in lower case (may be
/// empty).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileHead {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Extension of its name.
    pub extension: String,
}

impl FileHead {
    /// Appends the record; `size` bytes of the file follow it.
    pub fn write(&self, to: &mut Vec<u8>) {
        let parts: [&[u8]; 4] = [&self.digest.0, &self.sha256.0, &self.size.to_le_bytes(), self.extension.as_bytes()];
        write_record(to, &parts.concat());
    }

    fn read(record: &[u8]) -> Option<Self> {
        let (digest, rest) = record.split_first_chunk::<20>()?;
        let (sha256, rest) = rest.split_first_chunk::<32>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let extension = std::str::from_utf8(rest).ok()?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !extension.is_empty() && !extension.strip_prefix('.').is_some_and(|text| !text.is_empty() && plain(text)) {
            return None;
        }
        Some(Self {
            digest: ContentDigest(*digest),
            sha256: Sha256Digest(*sha256),
            size: u64::from_le_bytes(*size),
            extension: extension.to_owned(),
        })
    }
}

/// What comes next in a section of files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileEvent<'b> {
    /// A file begins.
    Begin(FileHead),
    /// Its next bytes.
    Data(&'b [u8]),
    /// It is whole.
    End,
}

/// Cuts a section of files into events. Give it the stream piece by piece.
#[derive(Debug)]
pub struct Files {
    heads: Records,
    /// Bytes that are still to come of the file that is open.
    left: Option<u64>,
    count: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self { heads: Records::new(20 + 32 + 8 + LONGEST_EXTENSION), left: None, count: 0 }
    }
}

impl Files {
    /// The next piece of the stream; `each` is called with what is in it.
    pub fn push<E: From<BundleError>>(
        &mut self,
        mut bytes: &[u8],
        each: &mut dyn FnMut(FileEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            match &mut self.left {
                Some(0) => {
                    self.left = None;
                    self.count += 1;
                    each(FileEvent::End)?;
                }
                Some(_) if bytes.is_empty() => return Ok(()),
                Some(left) => {
                    let now = (*left).min(bytes.len() as u64) as usize;
                    let (data, rest) = bytes.split_at_checked(now).unwrap_or((bytes, &[]));
                    *left -= data.len() as u64;
                    bytes = rest;
                    each(FileEvent::Data(data))?;
                }
                None if bytes.is_empty() => return Ok(()),
                None => {
                    // byte by byte: what follows the record is the file's
                    let (first, rest) = bytes.split_at_checked(1).unwrap_or((bytes, &[]));
                    bytes = rest;
                    self.heads.push(first);
                    let number = self.heads.count() + 1;
                    let Some(record) = self.heads.next_record()? else { continue };
                    let head = FileHead::read(record).ok_or_else(|| BundleError::Record {
                        record: number,
                        reason: "it is not understood".to_owned(),
                    })?;
                    self.left = Some(head.size);
                    each(FileEvent::Begin(head))?;
                }
            }
        }
    }

    /// Whole files so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether a file is open: its bytes go on in the next piece.
    pub fn is_open(&self) -> bool {
        self.left.is_some() || self.heads.end().is_err()
    }

    /// At the end of the stream no file may be open.
    pub fn end(&self) -> Result<(), BundleError> {
        self.heads.end()?;
        match self.left {
            None => Ok(()),
            Some(_) => Err(BundleError::Record {
                record: self.count + 1,
                reason: "the section ends inside its file".to_owned(),
            }),
        }
    }
}
