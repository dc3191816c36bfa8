//! Applying a bundle: documents and decisions in one transaction, then content, part by part.

use std::{
    fs::File,
    io::BufReader,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use jiff::Timestamp;
use rayon::prelude::*;
use uuid::Uuid;
use weir_api::bundle::{Bundle, BundlePhase, BundleResult, RefusedObject};
use weir_model::ids::UpdateIdentity;
use weir_store::{
    Actor, StoreError, WriteTx,
    bundle::{BundleState, PartState},
    content::{Content as _, Expected, Put},
    content_file::ContentState,
    revision::FileSource,
};
use weir_wire::bundle::{
    BundleError, Document, FileEvent, FileHead, Files, Manifest, PartReader, Records, Section, Source, section,
};

use super::{
    parts::Hashed,
    receive::{Running, find, folder, in_order, manifest, part_path, remove, show},
};
use crate::{
    admin::{AdminError, App, Caller, blocking, chain, store_content},
    import::{Ready, is_source, ready},
    intent::{self, Applied, Object, Origin},
};

/// Documents parsed together.
const TOGETHER: usize = 512;
/// Bytes of documents parsed together.
const TOGETHER_BYTES: usize = 32 << 20;
/// Groups that are parsed ahead of the one that is stored.
const AHEAD: usize = 2;
/// Bytes of a decision.
const LONGEST_OBJECT: usize = 8 << 20;
/// Decisions in a bundle.
const MOST_OBJECTS: usize = 2_000_000;
/// Refusals that an answer gives.
const MOST_REFUSED: usize = 1_000;

/// Begins to apply a bundle whose parts are all here.
pub(crate) async fn begin(app: &App, caller: &Caller, id: Uuid, force: bool) -> Result<Bundle, AdminError> {
    let row = find(app, id).await?;
    if row.state == BundleState::Applied {
        return show(app, id).await;
    }
    let described = show(app, id).await?;
    if let Some(first) = described.missing.first() {
        return Err(AdminError::Conflict {
            code: "bundle_incomplete",
            detail: format!("{} parts of the bundle are not here, the first of them {first}", described.missing.len()),
            next_step: Some("weir import the folder that has them".to_owned()),
        });
    }
    if !start(app, id) {
        return show(app, id).await;
    }
    // the work goes on when the caller goes away
    let (work_app, work_caller) = (app.clone(), caller.clone());
    tokio::spawn(async move {
        let _turn = work_app.shared().bundles.turn.lock().await;
        let outcome = run(&work_app, &work_caller, id, force).await;
        if let Err(error) = &outcome {
            tracing::error!(bundle = %id, error = chain(error), "a bundle could not be applied");
        }
        let error = outcome.err().map(|error| match error {
            AdminError::Internal(_) => error.problem().detail,
            error => chain(&error),
        });
        if let Some(running) = work_app.shared().bundles.running.lock().get_mut(&id) {
            (running.at_work, running.error) = (false, error);
        }
    });
    show(app, id).await
}

/// Notes that it is at work. False if it was already.
fn start(app: &App, id: Uuid) -> bool {
    let mut running = app.shared().bundles.running.lock();
    if running.get(&id).is_some_and(|running| running.at_work) {
        return false;
    }
    let fresh = Running { at_work: true, phase: BundlePhase::Verify, done: 0, total: 0, error: None };
    running.insert(id, fresh);
    true
}

/// Says how far it is.
fn progress(app: &App, id: Uuid, phase: BundlePhase, done: u64, total: u64) {
    if let Some(running) = app.shared().bundles.running.lock().get_mut(&id) {
        (running.phase, running.done, running.total) = (phase, done, total);
    }
}

async fn run(app: &App, caller: &Caller, id: Uuid, force: bool) -> Result<(), AdminError> {
    let row = find(app, id).await?;
    let manifest = manifest(&row)?;
    if row.state == BundleState::Receiving {
        let (work_app, work_caller, work_manifest) = (app.clone(), caller.clone(), manifest.clone());
        let signer = row.signer;
        blocking(move || commit(&work_app, &work_caller, id, signer, &work_manifest, force)).await?;
    }
    progress(app, id, BundlePhase::Publish, 0, 0);
    app.reload_settings().await?;
    app.publish().await?;
    let (work_app, work_caller) = (app.clone(), caller.clone());
    let runtime = tokio::runtime::Handle::current();
    let (added, unchanged) = blocking(move || content(&work_app, &work_caller, id, &manifest, &runtime)).await?;
    app.publish().await?;
    app.shared().wanted.notify_one();
    let unresolved = app.state.live.current().snapshot.unresolved().len() as u64;
    app.write(caller, move |tx| {
        let mut result: BundleResult =
            tx.bundle_received_show(id)?.and_then(|row| serde_json::from_value(row.result?).ok()).unwrap_or_default();
        // what an attempt before this one put in counts, too
        result.files_added += added;
        result.files_unchanged += unchanged;
        result.unresolved = unresolved;
        let value = serde_json::to_value(&result).map_err(|error| AdminError::Internal(error.to_string()))?;
        tx.bundle_set_state(id, BundleState::Applied, Some(&value))?;
        tx.audit("bundle.apply", &id.to_string(), None, Some(&value))?;
        Ok(())
    })
    .await?;
    remove(&folder(app, id));
    Ok(())
}

/// What the reading thread hands to the transaction.
enum Step {
    Documents(Vec<Ready>),
    Object(Box<Object>),
    Sources(Vec<FileSource>),
}

/// Documents and decisions, all or nothing. Reading and parsing go ahead of the one writer.
fn commit(
    app: &App,
    caller: &Caller,
    id: Uuid,
    signer: weir_model::ids::Sha256Digest,
    manifest: &Manifest,
    force: bool,
) -> Result<(), AdminError> {
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now());
    let own = app.state.server.0;
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut reader = Reader { app, id, manifest, sender: &sender, unknown: Vec::new() };
            let outcome = reader.metadata();
            outcome.map(|()| reader.unknown)
        });
        app.state.store.try_write(&actor, |tx| {
            crate::admin::import_allowed(tx, force)?;
            // another one may have been applied since this one came
            in_order(tx, manifest, signer, own, force)?;
            let mut result = store(tx, receiver, |done| {
                progress(app, id, BundlePhase::Documents, done, manifest.counts.revisions);
            })?;
            match reading.join() {
                Ok(Ok(unknown)) => result.unknown.extend(unknown),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(AdminError::Internal("reading a bundle panicked".to_owned())),
            }
            let value = serde_json::to_value(&result).map_err(|error| AdminError::Internal(error.to_string()))?;
            tx.bundle_set_state(id, BundleState::Committed, Some(&value))?;
            tx.audit("bundle.commit", &id.to_string(), None, Some(&value))?;
            Ok(())
        })
    })
}

/// Writes what comes. Ends when the sender is gone; whether that was the end is for the caller to ask.
fn store(tx: &WriteTx<'_>, steps: Receiver<Step>, told: impl Fn(u64)) -> Result<BundleResult, AdminError> {
    let mut import = tx.import();
    let mut objects = Vec::new();
    for step in steps {
        match step {
            Step::Documents(documents) => {
                for document in documents {
                    import.revision(&document.packed)?;
                    tx.file_source_add(&document.sources)?;
                }
                let counts = import.counts();
                told(counts.added + counts.unchanged);
            }
            Step::Object(object) => objects.push(*object),
            Step::Sources(sources) => tx.file_source_add(&sources)?,
        }
    }
    let counts = import.counts();
    drop(import);
    let Applied { applied, unchanged, unknown_kinds, refused } = intent::apply(tx, &objects, Origin::Bundle)?;
    Ok(BundleResult {
        added: counts.added,
        unchanged: counts.unchanged,
        objects_applied: applied,
        objects_unchanged: unchanged,
        objects_refused: refused
            .into_iter()
            .take(MOST_REFUSED)
            .map(|one| RefusedObject { kind: one.kind, id: one.id, reason: one.reason })
            .collect(),
        unknown: unknown_kinds
            .into_iter()
            .map(|one| format!("{} decisions of kind {} version {}", one.objects, one.kind, one.version))
            .collect(),
        ..BundleResult::default()
    })
}

/// Whether a section is a stream of files.
fn is_files(section: &Section) -> bool {
    matches!(section.kind.as_str(), section::FILES | section::LICENCES)
}

/// A fault of a bundle whose digests are right: its maker's.
fn faulty(error: &BundleError) -> AdminError {
    match error {
        BundleError::Io(error) => AdminError::Internal(format!("reading a part of a bundle: {error}")),
        error => bad(chain(error)),
    }
}

fn bad(detail: String) -> AdminError {
    AdminError::Invalid {
        code: "bundle_damaged",
        detail,
        next_step: Some("nothing was changed; have the bundle made again".to_owned()),
    }
}

/// Opens a part; its digest is compared once more while it is read.
struct OpenPart {
    reader: PartReader<HashedRead>,
}

/// Reads bytes and remembers their digest.
struct HashedRead {
    source: BufReader<File>,
    hash: Hashed<std::io::Sink>,
}

impl std::io::Read for HashedRead {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        use std::io::Write as _;
        let read = self.source.read(space)?;
        self.hash.write_all(space.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

impl OpenPart {
    fn open(app: &App, id: Uuid, number: u32) -> Result<Self, AdminError> {
        let path = part_path(app, id, number);
        let file = File::open(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                lost(app, id, number)
            } else {
                AdminError::Internal(format!("opening part {number} of bundle {id}: {error}"))
            }
        })?;
        let source = BufReader::with_capacity(1 << 18, file);
        let source = HashedRead { source, hash: Hashed::new(std::io::sink()) };
        Ok(Self { reader: PartReader::new(source, number).map_err(|error| faulty(&error))? })
    }

    /// Compares the digest of everything that was read.
    fn finish(self, app: &App, id: Uuid, number: u32, manifest: &Manifest) -> Result<(), AdminError> {
        let (_, sha256) = self.reader.into_inner().hash.finish();
        let wanted = manifest.parts.get((number as usize).saturating_sub(1));
        if wanted.is_some_and(|part| part.sha256 == sha256) { Ok(()) } else { Err(lost(app, id, number)) }
    }
}

/// A part that was here is not what it was: it must come again.
fn lost(app: &App, id: Uuid, number: u32) -> AdminError {
    let actor = Actor::system("bundles", Timestamp::now());
    let (store, path) = (app.state.store.clone(), part_path(app, id, number));
    // not from inside the transaction that may be under way
    std::thread::spawn(move || {
        if let Err(error) = store.write(&actor, |tx| tx.bundle_part_delete(id, number)) {
            tracing::error!(bundle = %id, number, error = chain(&error), "a lost part could not be noted");
        }
        let _ = std::fs::remove_file(path);
    });
    AdminError::Conflict {
        code: "part_lost",
        detail: format!("part {number} of the bundle changed or vanished on this server's disk"),
        next_step: Some("weir import the bundle again: that part is sent once more".to_owned()),
    }
}

/// Reads the sections that are not files.
struct Reader<'r> {
    app: &'r App,
    id: Uuid,
    manifest: &'r Manifest,
    sender: &'r SyncSender<Step>,
    unknown: Vec<String>,
}

/// One section under way.
struct Stream {
    records: Records,
    bytes: u64,
}

impl Reader<'_> {
    fn metadata(&mut self) -> Result<(), AdminError> {
        let sections = &self.manifest.sections;
        for section in sections.iter().filter(|section| !is_files(section) && !known(section)) {
            self.unknown.push(format!("section {} version {}", section.kind, section.version));
        }
        let last = sections.iter().rposition(|section| !is_files(section) && known(section));
        let Some(last) = last else { return Ok(()) };
        let mut streams: Vec<Stream> =
            sections.iter().map(|section| Stream { records: Records::new(longest(section)), bytes: 0 }).collect();
        let mut group = Group::default();
        'parts: for number in 1..=self.manifest.parts.len() as u32 {
            let mut part = OpenPart::open(self.app, self.id, number)?;
            let mut whole = true;
            while let Some(frame) = part.reader.frame().map_err(|error| faulty(&error))? {
                let index = usize::from(frame.section);
                if index > last {
                    whole = false;
                    break;
                }
                let (Some(section), Some(stream)) = (sections.get(index), streams.get_mut(index)) else {
                    return Err(bad(format!("part {number} has a frame of section {index}, which there is not")));
                };
                if is_files(section) || !known(section) {
                    continue;
                }
                stream.bytes += frame.plain.len() as u64;
                stream.records.push(frame.plain);
                self.records(section, &mut stream.records, &mut group)?;
            }
            if whole {
                part.finish(self.app, self.id, number, self.manifest)?;
            } else {
                // frames of files follow: what is before them is all that matters, but none of it is used unless the
                // whole part is what it was
                part.rest()?;
                part.finish(self.app, self.id, number, self.manifest)?;
                break 'parts;
            }
        }
        self.flush(&mut group)?;
        for (section, stream) in sections.iter().zip(&streams) {
            if is_files(section) || !known(section) {
                continue;
            }
            stream.records.end().map_err(|error| faulty(&error))?;
            if (stream.bytes, stream.records.count()) != (section.bytes, section.records) {
                return Err(bad(format!(
                    "section {} has {} records and {} bytes instead of {} and {}",
                    section.kind,
                    stream.records.count(),
                    stream.bytes,
                    section.records,
                    section.bytes
                )));
            }
        }
        Ok(())
    }

    fn records(&mut self, section: &Section, records: &mut Records, group: &mut Group) -> Result<(), AdminError> {
        while let Some(record) = records.next_record().map_err(|error| faulty(&error))? {
            match section.kind.as_str() {
                section::DOCUMENTS => {
                    let document =
                        Document::read(record).ok_or_else(|| bad("a record of documents is damaged".to_owned()))?;
                    group.bytes += document.text.len();
                    group.documents.push((document.identity, document.text.to_owned()));
                    if group.documents.len() >= TOGETHER || group.bytes >= TOGETHER_BYTES {
                        self.flush(group)?;
                    }
                }
                section::SOURCES => {
                    let source =
                        Source::read(record).ok_or_else(|| bad("a record of sources is damaged".to_owned()))?;
                    if !is_source(source.url) {
                        return Err(bad(format!("{:?} is no address of a file", source.url)));
                    }
                    group.sources.push(FileSource {
                        digest: source.digest,
                        url: source.url.to_owned(),
                        origin: "package".to_owned(),
                    });
                    if group.sources.len() >= TOGETHER {
                        self.flush(group)?;
                    }
                }
                _ => {
                    group.objects += 1;
                    if group.objects > MOST_OBJECTS {
                        return Err(bad(format!("it has more than {MOST_OBJECTS} decisions")));
                    }
                    let object: Object = serde_json::from_slice(record)
                        .map_err(|error| bad(format!("a decision in {} is damaged: {error}", section.kind)))?;
                    self.send(Step::Object(Box::new(object)))?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self, group: &mut Group) -> Result<(), AdminError> {
        group.bytes = 0;
        let documents = std::mem::take(&mut group.documents);
        if !documents.is_empty() {
            let parsed: Result<Vec<Ready>, AdminError> = documents.into_par_iter().map(parse).collect();
            self.send(Step::Documents(parsed?))?;
        }
        let sources = std::mem::take(&mut group.sources);
        if sources.is_empty() { Ok(()) } else { self.send(Step::Sources(sources)) }
    }

    fn send(&self, step: Step) -> Result<(), AdminError> {
        // the writer ended with an error of its own, which is the one that counts
        self.sender.send(step).map_err(|_| AdminError::Unavailable("the bundle was not stored".to_owned()))
    }
}

/// What is gathered before it is handed on.
#[derive(Default)]
struct Group {
    documents: Vec<(UpdateIdentity, String)>,
    bytes: usize,
    sources: Vec<FileSource>,
    objects: usize,
}

fn parse((identity, text): (UpdateIdentity, String)) -> Result<Ready, AdminError> {
    let ready = ready(text).map_err(|message| bad(format!("the document of {identity}: {message}")))?;
    if ready.identity != identity {
        return Err(bad(format!("the document of {identity} says that it is {}", ready.identity)));
    }
    Ok(ready)
}

/// Whether a section, other than of files, is understood here.
fn known(section: &Section) -> bool {
    let simple = matches!(section.kind.as_str(), section::DOCUMENTS | section::SOURCES);
    section.version == 1 && (simple || section.kind.starts_with(section::INTENT))
}

fn longest(section: &Section) -> usize {
    match section.kind.as_str() {
        section::DOCUMENTS => Document::LONGEST,
        section::SOURCES => Source::LONGEST,
        _ => LONGEST_OBJECT,
    }
}

impl OpenPart {
    /// Reads to the end.
    fn rest(&mut self) -> Result<(), AdminError> {
        while self.reader.frame().map_err(|error| faulty(&error))?.is_some() {}
        Ok(())
    }
}

/// Content, part by part; a part is deleted when all of it is in the content store. Returns new and known files.
fn content(
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
