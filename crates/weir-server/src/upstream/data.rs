//! GetUpdateData (MS-WSUSSS 3.1.4.6): the documents, exactly as they were published.

use std::{collections::HashSet, io, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use weir_model::{
    document::body,
    ids::{ContentDigest, RevisionId, UpdateIdentity},
};
use weir_store::{ReadTx, Store, StoreError};
use weir_wire::{
    soap::{ErrorCode, escape_into},
    wsss::{GetUpdateData, UpdateDataWriter, blob},
    xpress,
};

use super::{COMPRESSED_BLOBS, Call, Refusal, Reply, UPDATES};
use crate::{admin::setting::Current, client::body::Source, state::blocking};

/// Bytes of an answer (those of real servers end there); one document is always sent.
const ANSWER: usize = 2_000_000;
/// Room for what follows the last address of a file.
const TAIL: usize = 512;
/// Documents above this, in bytes of UTF-16, go into a cabinet where that is wanted.
const CABINET: usize = 5_120;
/// How long an answer with a large document waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

impl Call<'_> {
    pub(super) async fn get_update_data(&self, request: &GetUpdateData) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        let asked = request.validate(UPDATES)?.to_vec();
        let busy = || Refusal::new(ErrorCode::ServerBusy);
        let _turn = self.state.upstream.answers.acquire().await.map_err(|_| busy())?;
        let (store, writer) = (self.state.store.clone(), UpdateDataWriter::new(self.version));
        let gathered = blocking(move || store.read(|tx| gather(tx, &asked, writer))).await?;
        let document = match gathered {
            Gathered::Answer(text) => return Ok(Reply::Text(text)),
            Gathered::Large(document) => document,
        };
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.state.giants).acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(busy)?;
        let store = self.state.store.clone();
        let step = Step::Head;
        let (xpress, rest) = (self.xpress, Vec::new());
        Ok(Reply::Stream(Box::new(Large { store, writer, document, step, rest, xpress, _permit: permit })))
    }
}

enum Gathered {
    /// The whole answer.
    Answer(String),
    /// An answer of one document that is too large to be held.
    Large(Document),
}

/// A document that is sent piece by piece.
struct Document {
    identity: UpdateIdentity,
    id: RevisionId,
    files: Vec<ContentDigest>,
    /// The addresses of its files, written.
    urls: String,
}

/// Puts together as much of what was asked for as an answer holds. What is not stored is left out, and what does not fit,
/// too: the downstream server asks for the rest again.
fn gather(tx: &ReadTx<'_>, asked: &[UpdateIdentity], writer: UpdateDataWriter) -> Result<Gathered, StoreError> {
    let cabinets = Current::read(tx)?.flag(COMPRESSED_BLOBS);
    let mut out = String::with_capacity(256 << 10);
    writer.head(&mut out);
    let (mut urls, mut seen) = (String::new(), HashSet::new());
    let mut empty = true;
    for identity in asked {
        let Some((id, length)) = tx.document_find(*identity)? else { continue };
        let room = ANSWER.saturating_sub(out.len() + urls.len() + TAIL);
        let files: Vec<ContentDigest> = tx.files_of(&[id])?.into_iter().map(|(digest, _)| digest).collect();
        if length > room as u64 {
            if !empty {
                continue;
            }
            add_urls(tx, writer, &mut urls, &mut seen, &files)?;
            return Ok(Gathered::Large(Document { identity: *identity, id, files, urls }));
        }
        let Some(text) = tx.document_text(id)? else { continue };
        let before = (out.len(), urls.len());
        put(&mut out, writer, *identity, body(&text), &files, cabinets);
        let new: Vec<ContentDigest> = files.iter().filter(|digest| !seen.contains(*digest)).copied().collect();
        add_urls(tx, writer, &mut urls, &mut seen, &new)?;
        if !empty && out.len() + urls.len() + TAIL > ANSWER {
            out.truncate(before.0);
            urls.truncate(before.1);
            for digest in &new {
                seen.remove(digest);
            }
            continue;
        }
        empty = false;
    }
    writer.urls_open(&mut out);
    out.push_str(&urls);
    writer.tail(&mut out);
    Ok(Gathered::Answer(out))
}

fn put(
    out: &mut String,
    writer: UpdateDataWriter,
    identity: UpdateIdentity,
    text: &str,
    files: &[ContentDigest],
    cabinets: bool,
) {
    if cabinets && text.encode_utf16().count() * 2 > CABINET {
        match blob::compress(text) {
            Ok(cabinet) => return writer.update_compressed(out, identity, &cabinet, files),
            Err(error) => tracing::warn!(%identity, %error, "a document does not fit a cabinet and goes as text"),
        }
    }
    writer.update(out, identity, text, files);
}

/// A row for each file that has none yet.
fn add_urls(
    tx: &ReadTx<'_>,
    writer: UpdateDataWriter,
    urls: &mut String,
    seen: &mut HashSet<ContentDigest>,
    files: &[ContentDigest],
) -> Result<(), StoreError> {
    for digest in files {
        if seen.insert(*digest) {
            let source = tx.file_sources(*digest)?.into_iter().next();
            writer.url(urls, *digest, source.as_ref().map(|source| source.url.as_str()));
        }
    }
    Ok(())
}

/// Where a large answer is.
enum Step {
    Head,
    Piece(u32),
    Done,
}

/// An answer of one large document.
struct Large {
    store: Store,
    writer: UpdateDataWriter,
    document: Document,
    step: Step,
    /// Bytes of a character that the next piece completes.
    rest: Vec<u8>,
    xpress: bool,
    _permit: OwnedSemaphorePermit,
}

impl Large {
    fn text(&mut self) -> io::Result<Option<String>> {
        let (writer, id) = (self.writer, self.document.id);
        let mut out = String::new();
        let number = match self.step {
            Step::Done => return Ok(None),
            Step::Head => {
                writer.head(&mut out);
                writer.update_open(&mut out, self.document.identity);
                0
            }
            Step::Piece(number) => number,
        };
        let piece = self.store.read(|tx| tx.document_piece(id, number)).map_err(io::Error::other)?;
        let Some(piece) = piece else {
            if !self.rest.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a stored document ends within a character"));
            }
            writer.update_close(&mut out, &self.document.files);
            writer.urls_open(&mut out);
            out.push_str(&self.document.urls);
            writer.tail(&mut out);
            self.step = Step::Done;
            return Ok(Some(out));
        };
        self.rest.extend_from_slice(&piece);
        let (text, whole) = match std::str::from_utf8(&self.rest) {
            Ok(text) => (text, self.rest.len()),
            Err(error) if error.error_len().is_none() => {
                let whole = error.valid_up_to();
                (self.rest.get(..whole).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default(), whole)
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        escape_into(&mut out, if number == 0 { body(text) } else { text });
        self.rest.drain(..whole);
        self.step = Step::Piece(number + 1);
        Ok(Some(out))
    }
}

impl Source for Large {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(text) = self.text()? else { return Ok(None) };
        Ok(Some(Bytes::from(if self.xpress { xpress::compress_greedy(text.as_bytes()) } else { text.into_bytes() })))
    }
}
