//! Puts an answer together from text and ready fragments, in the coding the client asked for, without ever holding a
//! large fragment: what is above [`GIANT`] is read piece by piece while it is sent.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use weir_model::ids::RevisionId;
use weir_store::{Store, StoreError, fragment::CoreInfo};
use weir_wire::{soap::ErrorCode, xpress};

use super::{
    body::{Body, HELD, Source},
    call::Refusal,
    coding::Coding,
};
use crate::{
    live::{Fragment, GIANT},
    state::{AppState, blocking},
    telemetry::{self, Cache},
};

/// Fragments from this length on are sent from the cache without a copy.
const SHARED: usize = 8 * 1024;
/// How long an answer with large fragments waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the text of a revision comes from.
#[derive(Clone, Debug)]
pub(super) enum FragmentSource {
    Cached(Fragment),
    Giant(CoreInfo),
}

/// The fragments of one answer.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(RevisionId, FragmentSource)>);

impl Sources {
    /// Finds the fragments of these revisions (with their lengths), reading what is not in the cache.
    pub(super) async fn gather(
        state: &Arc<AppState>,
        ids: impl Iterator<Item = (RevisionId, u32)>,
    ) -> Result<Self, StoreError> {
        let (mut found, mut missing, mut giants) = (Vec::new(), Vec::new(), Vec::new());
        for (id, length) in ids {
            if length > GIANT {
                giants.push(id);
            } else if let Some(fragment) = state.live.fragments.cached(id) {
                found.push((id, FragmentSource::Cached(fragment)));
            } else {
                missing.push(id);
            }
        }
        telemetry::looked_up(Cache::Fragments, found.len(), missing.len());
        if !missing.is_empty() || !giants.is_empty() {
            let state = Arc::clone(state);
            let read = blocking(move || {
                let mut read = Vec::new();
                if !missing.is_empty() {
                    let loaded = state.live.fragments.load(&state.store, &missing)?;
                    read.extend(loaded.into_iter().map(|(id, fragment)| (id, FragmentSource::Cached(fragment))));
                }
                if !giants.is_empty() {
                    state.store.read(|tx| {
                        for id in giants {
                            read.extend(tx.core_info(id)?.map(|info| (id, FragmentSource::Giant(info))));
                        }
                        Ok(())
                    })?;
                }
                Ok(read)
            });
            found.extend(read.await?);
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        Ok(Self(found))
    }

    pub(super) fn find(&self, id: RevisionId) -> Option<&FragmentSource> {
        let index = self.0.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.0.get(index).map(|(_, source)| source)
    }

    /// Bytes of the fragments that will be copied.
    pub(super) fn small_bytes(&self) -> usize {
        let small = |source: &FragmentSource| match source {
            FragmentSource::Cached(fragment) if fragment.text().len() < SHARED => fragment.text().len(),
            _ => 0,
        };
        self.0.iter().map(|(_, source)| small(source)).sum()
    }
}

enum Part {
    Text(String),
    Shared(Fragment),
    Giant(RevisionId, CoreInfo),
}

impl Part {
    /// The text, if it is to be copied instead of shared.
    fn copied(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Shared(fragment) if fragment.text().len() < SHARED => Some(fragment.text()),
            Self::Shared(_) | Self::Giant(..) => None,
        }
    }
}

/// An answer under construction.
#[derive(Default)]
pub(super) struct Page {
    done: Vec<Part>,
    text: String,
}

impl Page {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { done: Vec::new(), text: String::with_capacity(bytes) }
    }

    /// Where to append text.
    pub(super) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Appends a fragment.
    pub(super) fn fragment(&mut self, id: RevisionId, source: &FragmentSource) {
        match source {
            FragmentSource::Cached(fragment) if fragment.blocks.is_none() && fragment.text().len() < SHARED => {
                self.text.push_str(fragment.text());
            }
            FragmentSource::Cached(fragment) => self.part(Part::Shared(fragment.clone())),
            FragmentSource::Giant(info) => self.part(Part::Giant(id, *info)),
        }
    }

    fn part(&mut self, part: Part) {
        if !self.text.is_empty() {
            self.done.push(Part::Text(std::mem::take(&mut self.text)));
        }
        self.done.push(part);
    }

    /// The body, and the coding it really has: an answer whose large fragment has no ready blocks stays as it is.
    pub(super) async fn body(mut self, state: &Arc<AppState>, coding: Coding) -> Result<(Coding, Body), Refusal> {
        if self.done.is_empty() {
            return Ok(match coding {
                Coding::Identity => (coding, Body::from(self.text.into_bytes())),
                Coding::Xpress => (coding, Body::from(xpress::compress_greedy(self.text.as_bytes()))),
            });
        }
        self.done.push(Part::Text(self.text));
        let giants =
            self.done.iter().filter_map(|part| if let Part::Giant(_, info) = part { Some(info) } else { None });
        let blocks = giants.clone().all(|info| info.block_rows > 0);
        let streamed = giants.count() > 0;
        let coding = if blocks { coding } else { Coding::Identity };
        let pieces: VecDeque<Piece> = match coding {
            Coding::Identity => identity(self.done),
            Coding::Xpress => compressed(self.done),
        };
        if let [Piece::Bytes(only)] = pieces.as_slices().0
            && pieces.len() == 1
        {
            return Ok((coding, Body::from(only.clone())));
        }
        let length = pieces.iter().map(Piece::len).sum();
        let permit = if streamed {
            let permit = Arc::clone(&state.giants).acquire_owned();
            let permit = tokio::time::timeout(PATIENCE, permit).await;
            Some(permit.ok().and_then(Result::ok).ok_or(Refusal::new(ErrorCode::ServerBusy))?)
        } else {
            None
        };
        let source = Pieces { store: state.store.clone(), waiting: pieces, position: 0, _permit: permit };
        Ok((coding, Body::streamed(length, Box::new(source))))
    }
}

enum Piece {
    Bytes(Bytes),
    Giant { id: RevisionId, length: u64, coding: Coding },
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Giant { length, .. } => *length,
        }
    }
}

/// What is small is joined, so that an answer of small fragments is written at once.
fn identity(parts: Vec<Part>) -> VecDeque<Piece> {
    let small: usize = parts.iter().map(|part| part.copied().map_or(0, str::len)).sum();
    let mut text = String::with_capacity(small);
    let mut pieces = VecDeque::new();
    for part in parts {
        if let Some(copied) = part.copied() {
            text.push_str(copied);
            continue;
        }
        if !text.is_empty() {
            pieces.push_back(Piece::Bytes(Bytes::from(std::mem::take(&mut text))));
        }
        pieces.extend(match part {
            Part::Text(_) => None,
            Part::Shared(fragment) => Some(Piece::Bytes(fragment.bytes())),
            Part::Giant(id, info) => Some(Piece::Giant { id, length: info.escaped_len, coding: Coding::Identity }),
        });
    }
    if !text.is_empty() {
        pieces.push_back(Piece::Bytes(Bytes::from(text)));
    }
    pieces
}

/// Ready blocks go as they are; text between them is compressed greedily.
fn compressed(parts: Vec<Part>) -> VecDeque<Piece> {
    let mut pieces = VecDeque::new();
    let mut text: Vec<u8> = Vec::new();
    let flush = |text: &mut Vec<u8>, pieces: &mut VecDeque<Piece>| {
        if !text.is_empty() {
            pieces.push_back(Piece::Bytes(Bytes::from(xpress::compress_greedy(text))));
            text.clear();
        }
    };
    for part in parts {
        match part {
            Part::Text(more) if text.is_empty() => text = more.into_bytes(),
            Part::Text(more) => text.extend_from_slice(more.as_bytes()),
            Part::Shared(Fragment { blocks: Some(blocks), .. }) => {
                flush(&mut text, &mut pieces);
                pieces.push_back(Piece::Bytes(blocks));
            }
            Part::Shared(fragment) => text.extend_from_slice(fragment.text().as_bytes()),
            Part::Giant(id, info) => {
                flush(&mut text, &mut pieces);
                pieces.push_back(Piece::Giant { id, length: info.blocks_len, coding: Coding::Xpress });
            }
        }
    }
    flush(&mut text, &mut pieces);
    pieces
}

/// Gives the pieces of an answer while it is sent.
struct Pieces {
    store: Store,
    waiting: VecDeque<Piece>,
    /// Next row of the large fragment in front.
    position: u32,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Source for Pieces {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(Piece::Giant { id, coding, .. }) = self.waiting.front() else {
                return self.next_ready().unwrap_or(Ok(None));
            };
            let (id, coding, row) = (*id, *coding, self.position);
            let read = self.store.read(|tx| match coding {
                Coding::Identity => tx.core_piece(id, row),
                Coding::Xpress => Ok(tx.core_blocks(id, row)?.map(|(_, data)| data)),
            });
            if let Some(data) = read.map_err(io::Error::other)? {
                self.position += 1;
                if !data.is_empty() {
                    return Ok(Some(Bytes::from(data)));
                }
            } else {
                self.position = 0;
                self.waiting.pop_front();
            }
        }
    }

    fn held(&self) -> u64 {
        let bytes = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Giant { .. } => 0,
        };
        let giants = self.waiting.iter().any(|piece| matches!(piece, Piece::Giant { .. }));
        self.waiting.iter().map(bytes).sum::<u64>() + if giants { HELD } else { 0 }
    }

    fn next_ready(&mut self) -> Option<io::Result<Option<Bytes>>> {
        loop {
            match self.waiting.front() {
                None => return Some(Ok(None)),
                Some(Piece::Giant { .. }) => return None,
                Some(Piece::Bytes(bytes)) => {
                    let bytes = bytes.clone();
                    self.waiting.pop_front();
                    if !bytes.is_empty() {
                        return Some(Ok(Some(bytes)));
                    }
                }
            }
        }
    }
}
