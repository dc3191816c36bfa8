//! Files of a bundle on their way into the content store.

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::bundle::BundlePhase;
use weir_store::{
    Actor, StoreError,
    bundle::PartState,
    content::{Content as _, Expected, Put},
    content_file::ContentState,
};
use weir_wire::bundle::{BundleError, FileEvent, FileHead, Files, Manifest};

use super::{
    part::{OpenPart, faulty, is_files},
    progress,
};
use crate::{
    admin::{AdminError, App, Caller, store_content},
    bundle::receive::part_path,
};

/// Content, part by part; a part is deleted when all of it is in the content store. Returns new and known files.
pub(super) fn content(
    app: &App,
    caller: &Caller,
    id: Uuid,
    manifest: &Manifest,
    runtime: &tokio::runtime::Handle,
) -> Result<(u64, u64), AdminError> {
    let used = app.state.store.read(|tx| tx.bundle_parts(id))?;
    let first = used.iter().filter(|(_, state)| *state == PartState::Used).map(|(number, _)| *number).max();
    let first = first.map_or(1, |last| last + 1);
    let mut taker = Taker { app, caller, runtime, open: None, added: 0, unchanged: 0, bytes: 0 };
    let mut streams: Vec<Files> = manifest.sections.iter().map(|_| Files::default()).collect();
    let mut begun = first;
    for number in first..=manifest.parts.len() as u32 {
        let mut part = OpenPart::open(app, id, number)?;
        while let Some(frame) = part.reader.frame().map_err(|error| faulty(&error))? {
            let index = usize::from(frame.section);
            let section = manifest.sections.get(index);
            if !section.is_some_and(|section| is_files(section) && section.version == 1) {
                continue;
            }
            let Some(stream) = streams.get_mut(index) else { continue };
            stream.push(frame.plain, &mut |event| taker.take(event))?;
            progress(app, id, BundlePhase::Content, taker.bytes, manifest.counts.file_bytes);
        }
        part.finish(app, id, number, manifest)?;
        // a file that goes on in the next part needs this one again, if that does not work out
        if streams.iter().all(|stream| !stream.is_open()) {
            let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
            app.state.store.write(&actor, |tx| {
                for number in begun..=number {
                    tx.bundle_part_put(id, number, PartState::Used)?;
                }
                Ok(())
            })?;
            for number in begun..=number {
                let _ = std::fs::remove_file(part_path(app, id, number));
            }
            begun = number + 1;
        }
    }
    for stream in &streams {
        stream.end().map_err(|error| faulty(&error))?;
    }
    Ok((taker.added, taker.unchanged))
}

/// Puts files into the content store.
struct Taker<'t> {
    app: &'t App,
    caller: &'t Caller,
    runtime: &'t tokio::runtime::Handle,
    /// The file that is open; without a place to put it, if it is here already.
    open: Option<(FileHead, Option<Put>)>,
    added: u64,
    unchanged: u64,
    bytes: u64,
}

/// So that the decoder's errors and those of the store go the same way.
#[derive(Debug)]
struct Taken(AdminError);

impl From<BundleError> for Taken {
    fn from(error: BundleError) -> Self {
        Self(faulty(&error))
    }
}

impl From<StoreError> for Taken {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<Taken> for AdminError {
    fn from(taken: Taken) -> Self {
        taken.0
    }
}

impl Taker<'_> {
    fn take(&mut self, event: FileEvent<'_>) -> Result<(), Taken> {
        match event {
            FileEvent::Begin(head) => {
                let known = self.app.state.store.read(|tx| tx.content_file_show(head.digest))?;
                let here = known.is_some_and(|row| row.state == ContentState::Verified && row.sha256 == head.sha256);
                let put = if here { None } else { Some(self.app.state.content.put()?) };
                self.open = Some((head, put));
            }
            FileEvent::Data(bytes) => {
                self.bytes += bytes.len() as u64;
                if let Some((_, Some(put))) = &mut self.open {
                    put.write(bytes)?;
                }
            }
            FileEvent::End => match self.open.take() {
                Some((head, Some(put))) => {
                    self.keep(head, put)?;
                    self.added += 1;
                }
                _ => self.unchanged += 1,
            },
        }
        Ok(())
    }

    /// What documents say of the file counts as much as what the bundle says.
    fn keep(&self, head: FileHead, put: Put) -> Result<(), Taken> {
        let digest = head.digest;
        let named = self.app.state.store.read(|tx| tx.file_expected(digest))?;
        let sha256 = named.and_then(|(sha256, _)| sha256).unwrap_or(head.sha256);
        let expected = Expected { digest: Some(digest), sha256: Some(sha256), size: Some(head.size) };
        let stored = store_content(self.app, self.caller, put, expected, head.extension);
        self.runtime.block_on(stored).map_err(Taken)
    }
}
