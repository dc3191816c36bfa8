//! A wsusutil package of the whole catalogue (export-format.md 2).

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::File,
    io::{BufReader, BufWriter, Read as _},
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use weir_api::export::{ExportFile, ExportPhase, ExportResult};
use weir_model::{
    document::body,
    ids::{ContentDigest, RevisionId, UpdateId, UpdateIdentity},
    update::{CategoryKind, UpdateType},
};
use weir_store::{ReadTx, export::ExportGraph, selection::SelectionKind};
use weir_wire::package::{
    LANGUAGES, Language, Package, PackageError, PackageFile, PackageUpdate, ProtocolVersion, Writer,
};

use super::{Stopped, Work, order::order, work::disk};
use crate::admin::{AdminError, chain};

/// Name of the one file.
const NAME: &str = "package";
/// Documents read in one transaction: none lasts long, so that the database's log can be taken back meanwhile.
const TOGETHER: usize = 256;
/// Said to be exported with this version of the server protocol, as WSUS does since 10.0.
const PROTOCOL: ProtocolVersion = ProtocolVersion { major: 1, minor: 20 };

/// Makes the package. Blocks.
pub(crate) fn make(
    store: &weir_store::Store,
    server_id: uuid::Uuid,
    work: &Work,
    now: Timestamp,
) -> Result<ExportResult, Stopped> {
    let (package, ids, mut result) = store.try_read(|tx| describe(tx, server_id, work, now))?;
    let path = work.path(NAME);
    let sink = BufWriter::new(File::create_new(&path).map_err(Stopped::Io)?);
    let mut writer = Writer::create(sink, &package, result.document_bytes).map_err(refused)?;
    let total = ids.len() as u64;
    let identities: Vec<UpdateIdentity> = package.updates.iter().map(|update| update.identity).collect();
    drop(package);
    let (mut done, mut written) = (0, 0);
    for group in ids.chunks(TOGETHER) {
        work.go_on()?;
        store.try_read(|tx| {
            for id in group {
                let identity = identities.get(done as usize).copied();
                let (text, identity) = tx.document_text(*id)?.zip(identity).ok_or_else(gone)?;
                // a package holds no declarations (export-format.md 2.2), which are stored where a file had one
                let text = body(&text);
                written += text.len() as u64;
                writer.record(identity, text).map_err(refused)?;
                done += 1;
            }
            Ok::<(), Stopped>(())
        })?;
        work.progress(ExportPhase::Documents, done, total);
    }
    let sink = writer.finish().map_err(refused)?;
    let file = sink.into_inner().map_err(|error| Stopped::Io(error.into_error()))?;
    let size = file.metadata().map_err(Stopped::Io)?.len();
    drop(file);
    // the head of a cabinet is written last, so the digest is that of a second reading
    let sha256 = digest(&path).map_err(Stopped::Io)?;
    work.offer(ExportFile { name: NAME.to_owned(), size, sha256 });
    (result.revisions, result.document_bytes) = (total, written);
    Ok(result)
}

/// A revision that was there a moment ago is not.
fn gone() -> Stopped {
    Stopped::Failed(AdminError::Conflict {
        code: "changed",
        detail: "the catalogue lost revisions while it was exported".to_owned(),
        next_step: Some("export again".to_owned()),
    })
}

fn refused(error: PackageError) -> Stopped {
    match error {
        error @ PackageError::TooLarge { .. } => Stopped::Failed(AdminError::Conflict {
            code: "too_large",
            detail: error.to_string(),
            next_step: Some(
                "write a Weir bundle instead, which has no such limit: weir export --bundle FOLDER".to_owned(),
            ),
        }),
        PackageError::Cabinet(weir_wire::cab::CabError::Io(error)) => Stopped::Failed(disk(&error)),
        error => Stopped::Failed(AdminError::Internal(chain(&error))),
    }
}

fn digest(path: &std::path::Path) -> std::io::Result<String> {
    let mut source = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hex(&hash.finalize()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What products and classifications the revisions have.
struct Categories<'g> {
    graph: &'g ExportGraph,
    kinds: HashMap<u32, CategoryKind>,
    named: HashMap<RevisionId, Vec<u32>>,
    /// The bundles of a member.
    bundles: HashMap<(u32, u32), Vec<RevisionId>>,
}

impl<'g> Categories<'g> {
    fn new(graph: &'g ExportGraph) -> Self {
        // a later revision of a category says what it is now
        let kinds = graph.revisions.iter().filter_map(|row| Some((row.update_no, row.category?))).collect();
        let mut named: HashMap<RevisionId, Vec<u32>> = HashMap::new();
        for entry in graph.prerequisites.iter().filter(|entry| entry.is_category) {
            named.entry(entry.id).or_default().push(entry.update_no);
        }
        let mut bundles: HashMap<(u32, u32), Vec<RevisionId>> = HashMap::new();
        for member in &graph.members {
            bundles.entry((member.update_no, member.revision.0)).or_default().push(member.id);
        }
        Self { graph, kinds, named, bundles }
    }

    fn of(&self, id: RevisionId, classification: bool) -> Vec<u32> {
        let mut found = Vec::new();
        for number in self.named.get(&id).into_iter().flatten() {
            let wanted = match self.kinds.get(number) {
                Some(CategoryKind::UpdateClassification) => classification,
                Some(_) => !classification,
                None => false,
            };
            if wanted && !found.contains(number) {
                found.push(*number);
            }
        }
        found
    }

    /// Products; those of its bundles where it names none.
    fn products(&self, update_no: u32, revision: u32, id: RevisionId) -> Vec<u32> {
        let own = self.of(id, false);
        if !own.is_empty() {
            return own;
        }
        let (mut found, mut seen) = (BTreeSet::new(), HashSet::new());
        let mut above = self.bundles.get(&(update_no, revision)).cloned().unwrap_or_default();
        while let Some(bundle) = above.pop() {
            if !seen.insert(bundle) {
                continue;
            }
            let own = self.of(bundle, false);
            if own.is_empty() {
                let row = self.graph.revisions.binary_search_by_key(&bundle, |row| row.id).ok();
                let row = row.and_then(|at| self.graph.revisions.get(at));
                let further = row.and_then(|row| self.bundles.get(&(row.update_no, row.revision.0)));
                above.extend(further.into_iter().flatten());
            }
            found.extend(own);
        }
        found.into_iter().collect()
    }
}

/// `package.xml`, and the revisions in its order.
fn describe(
    tx: &ReadTx<'_>,
    server_id: uuid::Uuid,
    work: &Work,
    now: Timestamp,
) -> Result<(Package, Vec<RevisionId>, ExportResult), Stopped> {
    let graph = tx.export_graph()?;
    let order = order(&graph);
    let categories = Categories::new(&graph);
    let name = |number: u32| graph.updates.get(number as usize).copied().flatten();
    let names = |numbers: Vec<u32>| -> Vec<UpdateId> { numbers.into_iter().filter_map(name).collect() };
    let mut result = ExportResult::default();
    let (mut updates, mut ids) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
    let (mut files, mut listed, mut without) = (Vec::new(), HashSet::new(), HashSet::<ContentDigest>::new());
    let total = order.len() as u64;
    for (done, row) in order.into_iter().filter_map(|at| graph.revisions.get(at)).enumerate() {
        let Some(update_id) = name(row.update_no) else { return Err(gone()) };
        let identity = UpdateIdentity { update_id, revision: row.revision };
        let mut own = Vec::new();
        for (digest, name, url) in tx.export_files(row.id)? {
            // a file without a source is in neither list, so that each row has its file
            let Some(mu_url) = url else {
                without.insert(digest);
                continue;
            };
            if !own.contains(&digest) {
                own.push(digest);
            }
            if listed.insert(digest) {
                files.push(PackageFile { digest, mu_url, name });
            }
        }
        let holds = matches!(row.update_type, UpdateType::Software | UpdateType::Driver);
        let products = if holds { categories.products(row.update_no, row.revision.0, row.id) } else { Vec::new() };
        let classifications = if holds { categories.of(row.id, true) } else { Vec::new() };
        updates.push(PackageUpdate {
            identity,
            files: own,
            categories: names(products),
            classifications: names(classifications),
        });
        ids.push(row.id);
        result.document_bytes += tx.document_bytes(row.id)?;
        if done % TOGETHER == 0 {
            work.go_on()?;
            work.progress(ExportPhase::Order, done as u64, total);
        }
    }
    result.files = files.len() as u64;
    result.files_without_source = without.len() as u64;
    let languages = languages(&tx.selection_list(SelectionKind::Languages)?);
    let package = Package { server_id, created: now, protocol: PROTOCOL, languages, files, updates };
    Ok((package, ids, result))
}

/// All 39 languages with our flags: all of them is the row `all` alone (export-format.md 2.3).
fn languages(selected: &[String]) -> Vec<Language> {
    let chosen = |short: &str| selected.iter().any(|one| one == short);
    let all = selected.is_empty() || chosen("all") || LANGUAGES.iter().skip(1).all(|(_, short, _)| chosen(short));
    LANGUAGES
        .iter()
        .map(|(id, short, long)| Language {
            id: *id,
            short_name: (*short).to_owned(),
            long_name: (*long).to_owned(),
            enabled: if all { *id == 0 } else { chosen(short) },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checklist_15_languages_are_flagged_as_chosen() {
        let enabled = |selected: &[&str]| -> Vec<u32> {
            let selected: Vec<String> = selected.iter().map(|one| (*one).to_owned()).collect();
            let languages = languages(&selected);
            assert_eq!(languages.len(), 39);
            languages.into_iter().filter(|language| language.enabled).map(|language| language.id).collect()
        };
        assert_eq!(enabled(&[]), [0]);
        assert_eq!(enabled(&["all"]), [0]);
        assert_eq!(enabled(&["de", "pt-br"]), [1031, 1046]);
        let every: Vec<&str> = LANGUAGES.iter().skip(1).map(|(_, short, _)| *short).collect();
        assert_eq!(enabled(&every), [0]);
    }
}
