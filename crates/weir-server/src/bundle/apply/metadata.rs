//! Documents, sources and decisions of a bundle: read and parsed ahead of the transaction that stores them.

use std::sync::mpsc::SyncSender;

use rayon::prelude::*;
use uuid::Uuid;
use weir_model::ids::UpdateIdentity;
use weir_store::revision::FileSource;
use weir_wire::bundle::{Document, Manifest, Records, Section, Source, section};

use super::{
    Step,
    part::{OpenPart, bad, faulty, is_files},
};
use crate::{
    admin::{AdminError, App},
    import::{Ready, is_source, ready},
    intent::Object,
};

/// Documents parsed together.
const TOGETHER: usize = 512;
/// Bytes of documents parsed together.
const TOGETHER_BYTES: usize = 32 << 20;
/// Bytes of a decision.
const LONGEST_OBJECT: usize = 8 << 20;
/// Decisions in a bundle.
const MOST_OBJECTS: usize = 2_000_000;

/// Reads the sections that are not files.
pub(super) struct Reader<'r> {
    pub(super) app: &'r App,
    pub(super) id: Uuid,
    pub(super) manifest: &'r Manifest,
    pub(super) sender: &'r SyncSender<Step>,
    /// Sections that are not understood here, in words.
    pub(super) unknown: Vec<String>,
}

/// One section under way.
struct Stream {
    records: Records,
    bytes: u64,
}

impl Reader<'_> {
    pub(super) fn metadata(&mut self) -> Result<(), AdminError> {
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
