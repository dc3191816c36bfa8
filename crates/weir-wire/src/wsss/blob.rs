//! The documents of XmlUpdateBlobCompressed (MS-WSUSSS 2.2.4.9): a complete cabinet whose one member `blob` is the
//! document in UTF-16LE, without byte order mark and declaration.

use std::io::Cursor;

use crate::cab::{self, CabError, MemberHead};

/// Name of the member.
const MEMBER: &str = "blob";
/// Most members of a cabinet that is looked into.
const MEMBERS: usize = 16;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Neither form of the document was sent.
    #[error("the update comes without a document")]
    Absent,
    /// The cabinet cannot be read or written.
    #[error("the cabinet with the document cannot be used")]
    Cabinet(#[source] CabError),
    /// The cabinet holds something else.
    #[error("the cabinet does not hold one document")]
    Members,
    /// The text is neither UTF-16LE nor UTF-8.
    #[error("the document in the cabinet is neither UTF-16LE nor UTF-8")]
    Text,
    /// The document is larger than allowed.
    #[error("the document in the cabinet is larger than {limit} bytes")]
    TooLarge {
        /// What is allowed.
        limit: u64,
    },
    /// Both forms of the document were sent.
    #[error("the update comes with two documents, as text and in a cabinet")]
    Twice,
}

/// Packs a document with MSZIP.
///
/// Off-spec: Windows packs with LZX, for which there is no encoder here; Weir servers read both.
///
/// # Errors
///
/// The document is larger than a cabinet can hold, 1 GiB of UTF-16 code units.
pub fn compress(document: &str) -> Result<Vec<u8>, BlobError> {
    let mut plain = Vec::with_capacity(document.len() * 2);
    plain.extend(document.encode_utf16().flat_map(u16::to_le_bytes));
    let head = MemberHead { name: MEMBER.to_owned(), ..MemberHead::default() };
    cab::write_mszip(&[(head, &plain)]).map_err(BlobError::Cabinet)
}

/// Unpacks a document: LZX, MSZIP or stored; UTF-16LE with or without a byte order mark, or UTF-8. Nothing is allocated
/// for more than `limit` bytes of the document, counted as UTF-8.
///
/// # Errors
///
/// It is no such cabinet, or its document is larger than `limit`.
pub fn decompress(cabinet: &[u8], limit: u64) -> Result<String, BlobError> {
    let limits = cab::Limits { members: MEMBERS, folder_bytes: limit.saturating_mul(2).saturating_add(2) };
    let too_large = |error| match error {
        CabError::Limit { .. } => BlobError::TooLarge { limit },
        error => BlobError::Cabinet(error),
    };
    let mut reader = cab::Reader::open(Cursor::new(cabinet), &limits).map_err(too_large)?;
    let index = match reader.members() {
        [_] => 0,
        members => members.iter().position(|member| member.name == MEMBER).ok_or(BlobError::Members)?,
    };
    let mut member = reader.member_at(index).map_err(too_large)?;
    if member.remaining() > limits.folder_bytes {
        return Err(BlobError::TooLarge { limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(member.remaining()).unwrap_or(0).min(1 << 20));
    while let Some(chunk) = member.chunk().map_err(too_large)? {
        bytes.extend_from_slice(chunk);
    }
    let document = text(bytes)?;
    if document.len() as u64 > limit {
        return Err(BlobError::TooLarge { limit });
    }
    Ok(document)
}

/// Reads the text of a document in the encoding that it shows.
fn text(bytes: Vec<u8>) -> Result<String, BlobError> {
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| BlobError::Text),
        // A document begins with `<`, whose other half is zero.
        [_, 0, ..] => utf16(&bytes),
        _ => String::from_utf8(bytes).map_err(|_| BlobError::Text),
    }
}

fn utf16(bytes: &[u8]) -> Result<String, BlobError> {
    let (units, []) = bytes.as_chunks::<2>() else { return Err(BlobError::Text) };
    let mut text = String::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().map(|&unit| u16::from_le_bytes(unit))) {
        text.push(unit.map_err(|_| BlobError::Text)?);
    }
    Ok(text)
}
