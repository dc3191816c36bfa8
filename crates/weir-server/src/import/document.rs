//! One update document, from its text to what the store takes.

use std::{
    collections::HashSet,
    io::{self, Read as _},
};

use rayon::prelude::*;
use weir_model::{
    criteria::Architecture,
    document::{self, EulaFile, File, Fragments, Limits, PublicationState, UpdateDocument},
    ids::{UpdateId, UpdateIdentity},
    update::Relationships,
};
use weir_store::revision::{CoreBlocks, FileSource, LocalizedText, NewRevision, PackedRevision, RevisionFile};
use weir_wire::xpress::Blocks;

use super::{DOCUMENT_BYTES, Ready, Report, Source, Step};
use crate::admin::chain;

/// Core fragments from this length on (escaped) get ready Xpress blocks; shorter ones are cheaper to compress when a page
/// is written than to read twice.
const BLOCKS_FROM: usize = 16 << 10;
/// Escaped bytes per stored run of blocks: what a streamed answer holds in memory at once.
const RUN: usize = 512 << 10;
/// Documents read before they are parsed together: bounds what is in memory.
const TOGETHER: usize = 1_024;
/// Bytes of text read before it is parsed together.
const TOGETHER_BYTES: usize = 64 << 20;

/// What an update cannot do without.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Needs(Vec<Need>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Need {
    AnyRevision(Vec<UpdateIdentity>),
    AnyUpdate(Vec<UpdateId>),
}

/// What a catalogue knows.
pub trait Catalogue {
    /// Some revision of the update is there.
    fn has_update(&self, update: UpdateId) -> bool;
    /// The revision is there.
    fn has_revision(&self, identity: UpdateIdentity) -> bool;
}

/// What a package has.
pub(super) struct Inside {
    updates: HashSet<UpdateId>,
    revisions: HashSet<UpdateIdentity>,
}

impl Inside {
    pub(super) fn new(identities: impl Iterator<Item = UpdateIdentity>) -> Self {
        let revisions: HashSet<UpdateIdentity> = identities.collect();
        Self { updates: revisions.iter().map(|identity| identity.update_id).collect(), revisions }
    }
}

impl Needs {
    fn new(relationships: &Relationships) -> Self {
        let clauses = relationships.prerequisites.iter().map(|clause| Need::AnyUpdate(clause.alternatives.clone()));
        let members = relationships.bundled.iter().map(|clause| Need::AnyRevision(clause.alternatives.clone()));
        Self(clauses.chain(members).collect())
    }

    /// The first need that neither has, in words.
    pub(super) fn first_lack(&self, inside: &Inside, known: &dyn Catalogue) -> Option<String> {
        let words = |ids: Vec<String>| match ids.as_slice() {
            [only] => format!("{only}, which is neither in the package nor in the catalogue"),
            several => {
                let first = several.first().map(String::as_str).unwrap_or_default();
                format!(
                    "one of {} updates ({first}, ...), none of which is in the package or in the catalogue",
                    several.len()
                )
            }
        };
        self.0.iter().find_map(|need| match need {
            Need::AnyUpdate(ids) => {
                let met = ids.iter().any(|id| inside.updates.contains(id) || known.has_update(*id));
                (!met).then(|| words(ids.iter().map(ToString::to_string).collect()))
            }
            Need::AnyRevision(ids) => {
                let met = ids.iter().any(|id| inside.revisions.contains(id) || known.has_revision(*id));
                (!met).then(|| words(ids.iter().map(ToString::to_string).collect()))
            }
        })
    }
}

/// Reads files that each stand alone.
pub(super) fn read_all(
    files: Vec<(String, Box<dyn Source>)>,
    report: Report<'_>,
) -> io::Result<Vec<(String, Result<Ready, String>)>> {
    let total = files.len() as u64;
    let mut read = Vec::with_capacity(files.len());
    let mut waiting = Vec::new();
    let mut bytes = 0;
    let mut files = files.into_iter().peekable();
    while let Some((name, source)) = files.next() {
        let text = text(source)?;
        bytes += text.as_ref().map_or(0, String::len);
        waiting.push((name, text));
        if waiting.len() >= TOGETHER || bytes >= TOGETHER_BYTES || files.peek().is_none() {
            let parsed = std::mem::take(&mut waiting).into_par_iter();
            read.par_extend(parsed.map(|(name, text)| (name, text.and_then(ready))));
            bytes = 0;
            report(Step::Parse, read.len() as u64, total);
        }
    }
    Ok(read)
}

/// The whole text of a file, or why it is none.
fn text(mut source: Box<dyn Source>) -> io::Result<Result<String, String>> {
    let mut bytes = Vec::new();
    source.by_ref().take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > DOCUMENT_BYTES {
        return Ok(Err(format!("the document is larger than {DOCUMENT_BYTES} bytes")));
    }
    let wide = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).map_err(|error| format!("the document is not UTF-16: {error}"))
    };
    Ok(match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        bytes => {
            // the mark says how the file is encoded and is no part of the document
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes);
            text.map(str::to_owned).map_err(|error| format!("the document is not UTF-8: {error}"))
        }
    })
}

/// From text to what the store takes.
pub(crate) fn ready(text: String) -> Result<Ready, String> {
    let limits = Limits::default();
    let (document, fragments) = document::read(&text, &limits).map_err(|error| chain(&error))?;
    let identity = document.identity;
    let needs = Needs::new(&document.relationships);
    let sources = sources(&document);
    let secured = document.properties.secured_fragments.iter().any(|fragment| fragment == "FileDecryption");
    let revision = revision(document, fragments, text);
    let packed = PackedRevision::pack(revision).map_err(|error| chain(&error))?;
    Ok(Ready { packed, identity, needs, sources, secured })
}

fn sources(document: &UpdateDocument) -> Vec<FileSource> {
    let files = document.files.iter().chain(document.eulas.iter().map(|eula| &eula.file));
    files
        .filter_map(|file| {
            let url = file.origin.as_deref().filter(|url| is_source(url))?;
            Some(FileSource { digest: file.digest, url: url.to_owned(), origin: "document".to_owned() })
        })
        .collect()
}

/// Whether content can be fetched there.
pub(crate) fn is_source(url: &str) -> bool {
    url.len() <= 2_048
        && url.parse::<http::Uri>().is_ok_and(|url| {
            matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
        })
}

fn revision(document: UpdateDocument, fragments: Fragments, text: String) -> NewRevision {
    let mut core_escaped = String::with_capacity(document::escaped_len(&fragments.core));
    document::escape_into(&mut core_escaped, &fragments.core);
    let properties = document.properties;
    NewRevision {
        identity: document.identity,
        text,
        update_type: document.update_type,
        category: document.category.and_then(|category| category.kind),
        expired: properties.publication_state == PublicationState::Expired,
        explicitly_deployable: properties.explicitly_deployable,
        default_language: properties.default_language.to_lowercase(),
        created_at: properties.creation_date,
        severity: properties.severity,
        kb_articles: properties.kb_articles,
        bulletins: properties.security_bulletins,
        eula_id: properties.eula_id.map(|id| id.as_hyphenated().to_string()),
        compatible_protocol: properties.compatible_protocol_version,
        relationships: document.relationships,
        drivers: document.drivers,
        localized: document
            .localized
            .into_iter()
            .map(|texts| LocalizedText {
                language: texts.language.to_lowercase(),
                title: texts.title,
                description: texts.description,
            })
            .collect(),
        architectures: Architecture::of_rules(&document.rules),
        languages: properties.languages.iter().map(|language| language.to_lowercase()).collect(),
        files: document
            .files
            .into_iter()
            .map(|file| revision_file(file, None))
            .chain(
                document.eulas.into_iter().map(|EulaFile { language, file, .. }| revision_file(file, Some(language))),
            )
            .collect(),
        core_plain_len: fragments.core.len() as u64,
        core_blocks: blocks(&core_escaped),
        core_escaped,
        extended: fragments.extended,
        localized_fragments: fragments.localized.into_iter().map(|part| (part.language, part.xml)).collect(),
        eula_fragments: fragments.eulas.into_iter().map(|part| (part.language, part.geo_id, part.xml)).collect(),
    }
}

fn revision_file(file: File, eula_language: Option<String>) -> RevisionFile {
    let express = file.is_express();
    RevisionFile {
        digest: file.digest,
        sha256: file.sha256,
        size: file.size,
        name: file.name,
        modified_at: file.modified,
        eula_language,
        express,
    }
}

fn blocks(escaped: &str) -> Vec<CoreBlocks> {
    if escaped.len() < BLOCKS_FROM {
        return Vec::new();
    }
    escaped
        .as_bytes()
        .chunks(RUN)
        .map(|run| CoreBlocks { plain_len: run.len() as u32, data: Blocks::compress(run).into_bytes() })
        .collect()
}
