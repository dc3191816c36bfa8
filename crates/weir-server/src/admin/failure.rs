//! Why installations and scans fail: codes explained, and put into groups over what computers reported last.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use weir_api::{
    List, Reference,
    failure::{CodeLayout, ErrorCount, ErrorDetail, ErrorExplanation, ErrorGroup, ErrorQuery, ErrorsBy, ErrorsQuery},
};
use weir_model::{
    error_code::{self, Explanation},
    failure::{FailureKind, Group, Groups, Occurrence},
    ids::{CollectionId, UpdateId},
    status::State,
};
use weir_store::{
    ReadTx, StoreError,
    computer::{DirectoryRow, THIS_SERVER},
    failure::{FailingComputer, OperatingSystem},
};

use super::{
    AdminError, App,
    collection::Tree,
    index::Index,
    list, rollup,
    tally::{Questions, decode},
    when,
};
use crate::live::Live;

/// Groups of each kind that the answer about one code gives.
const MOST_OF_CODE: usize = 10;

/// A code of a stored status in words, with its name.
pub(crate) fn meaning(error: i32) -> String {
    let explanation = error_code::explain(error.cast_unsigned());
    let meaning = explanation.meaning();
    explanation.name().map_or_else(|| meaning.clone(), |name| format!("{name}: {meaning}"))
}

/// A failure of a computer.
struct Failure {
    /// The update; none for a scan.
    update: Option<UpdateId>,
    kind: FailureKind,
    code: Option<u32>,
    at: Timestamp,
}

/// A computer with failures.
struct Failing<'c> {
    row: &'c DirectoryRow,
    os: Option<&'c OperatingSystem>,
    failures: Vec<Failure>,
}

/// Whose failures are meant.
struct Asked {
    collection: CollectionId,
    site: Option<u32>,
    since: Option<Timestamp>,
}

fn asked(
    tx: &ReadTx<'_>,
    tree: &Tree,
    (collection, server): (Option<&str>, Option<&str>),
    since: Option<&str>,
) -> Result<Asked, AdminError> {
    Ok(Asked {
        collection: match collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        },
        site: rollup::narrowed(tx, server)?,
        since: since.map(|text| when::past("since", text, Timestamp::now())).transpose()?,
    })
}

/// Hands every computer with failures to `each`: of updates that it is asked about (what is declined or replaced since is
/// of no interest any more), and of its last scan.
fn each_failing(
    tx: &ReadTx<'_>,
    live: &Live,
    tree: &Tree,
    asked: &Asked,
    each: &mut dyn FnMut(&Failing<'_>),
) -> Result<(), StoreError> {
    let mut computers: HashMap<u32, FailingComputer> = HashMap::new();
    tx.failing_computer_each(&mut |computer| {
        computers.insert(computer.no, computer);
        Ok(())
    })?;
    let mut rows: BTreeMap<u32, DirectoryRow> = BTreeMap::new();
    for row in tx.computer_directory()? {
        if asked.site.is_none_or(|site| row.site == site) && tree.holds(asked.collection, &row) {
            rows.insert(row.no, row);
        }
    }
    let mut questions = Questions::new(live);
    let mut failures: HashMap<u32, Vec<Failure>> = HashMap::new();
    tx.computer_status_each(&mut |no, stored| {
        let Some(row) = rows.get(&no) else { return Ok(()) };
        let status = decode(&stored.status);
        let mut found = Vec::new();
        for entry in status.entries() {
            let kind = match (entry.state, entry.error) {
                (State::Failed, _) => FailureKind::Installation,
                (_, Some(_)) => FailureKind::Earlier,
                (_, None) => continue,
            };
            let known = questions.of(&row.groups);
            let Ok(at) = known.binary_search_by_key(&entry.update, |it| it.number) else { continue };
            let code = entry.error.map(i32::cast_unsigned);
            found.extend(known.get(at).map(|it| Failure { update: Some(it.update), kind, code, at: entry.changed }));
        }
        if !found.is_empty() {
            failures.insert(no, found);
        }
        Ok(())
    })?;
    for (no, row) in &rows {
        let mut failures = failures.remove(no).unwrap_or_default();
        let computer = computers.get(no);
        if let Some((at, code)) = computer.and_then(|computer| computer.detection) {
            let code = code.map(i32::cast_unsigned);
            failures.push(Failure { update: None, kind: FailureKind::Detection, code, at });
        }
        if !failures.is_empty() {
            each(&Failing { row, os: computer.and_then(|computer| computer.os.as_ref()), failures });
        }
    }
    Ok(())
}

/// What groups have in common. The order is that of groups with the same number of computers.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Key {
    Code(Option<u32>),
    Collection(CollectionId),
    Os(Option<OperatingSystem>),
    Site(u32),
    Update(Option<UpdateId>),
}

impl Key {
    fn cursor(&self) -> String {
        match self {
            Self::Code(code) => code.map_or_else(|| "none".to_owned(), error_code::text),
            Self::Collection(id) => id.to_string(),
            Self::Os(os) => system(os.as_ref()),
            Self::Site(no) => no.to_string(),
            Self::Update(id) => id.map_or_else(|| "none".to_owned(), |id| id.to_string()),
        }
    }
}

/// An operating system as lists of computers call it.
fn system(os: Option<&OperatingSystem>) -> String {
    let Some(OperatingSystem { name, major, minor, build }) = os else { return "not registered yet".to_owned() };
    if name.is_empty() {
        format!("Windows {major}.{minor}.{build}")
    } else {
        format!("{name} ({major}.{minor}.{build})")
    }
}

/// The failures of a computer by what they are grouped by.
fn occurrences(failing: &Failing<'_>, by: ErrorsBy, tree: &Tree) -> Vec<Occurrence<Key>> {
    let row = failing.row;
    let mut found = Vec::new();
    let collections: Vec<CollectionId> = match by {
        ErrorsBy::Collection => tree.rows.iter().map(|it| it.id).filter(|id| tree.holds(*id, row)).collect(),
        _ => Vec::new(),
    };
    for failure in &failing.failures {
        let of = |key| Occurrence { key, kind: failure.kind, code: failure.code, at: failure.at };
        match by {
            ErrorsBy::Code => found.push(of(Key::Code(failure.code))),
            ErrorsBy::Collection => found.extend(collections.iter().map(|id| of(Key::Collection(*id)))),
            ErrorsBy::Os => found.push(of(Key::Os(failing.os.cloned()))),
            ErrorsBy::Site => found.push(of(Key::Site(row.site))),
            ErrorsBy::Update => found.push(of(Key::Update(failure.update))),
        }
    }
    found
}

/// What groups are called.
struct Names<'n> {
    tree: &'n Tree,
    index: &'n Index,
    servers: BTreeMap<u32, Reference>,
}

impl<'n> Names<'n> {
    fn read(tx: &ReadTx<'_>, tree: &'n Tree, index: &'n Index) -> Result<Self, StoreError> {
        let named = |(no, id, name, _): (u32, uuid::Uuid, String, u32)| {
            (no, Reference { id, name: if name.is_empty() { id.to_string() } else { name } })
        };
        Ok(Self { tree, index, servers: tx.rollup_server_numbers()?.into_iter().map(named).collect() })
    }

    fn shown(&self, group: Group<Key>) -> ErrorGroup {
        let (mut code, mut name, mut meaning, mut about) = (None, None, None, None);
        let label = match &group.key {
            Key::Code(Some(number)) => {
                let explanation = error_code::explain(*number);
                code = Some(error_code::text(*number));
                name = explanation.name().map(str::to_owned);
                meaning = Some(explanation.meaning());
                error_code::text(*number)
            }
            Key::Code(None) => "no code reported".to_owned(),
            Key::Collection(id) => {
                let reference = self.tree.reference(*id);
                about.insert(reference).name.clone()
            }
            Key::Os(os) => system(os.as_ref()),
            Key::Site(THIS_SERVER) => "this server".to_owned(),
            Key::Site(no) => {
                about = self.servers.get(no).cloned();
                about.as_ref().map_or_else(|| format!("server {no}"), |server| server.name.clone())
            }
            Key::Update(Some(id)) => {
                let reference = self.index.reference(*id);
                about.insert(reference).name.clone()
            }
            Key::Update(None) => "scans".to_owned(),
        };
        let count = |(code, computers): (Option<u32>, u64)| ErrorCount {
            code: code.map(error_code::text),
            name: code.and_then(|code| error_code::explain(code).name()).map(str::to_owned),
            computers,
        };
        ErrorGroup {
            label,
            code,
            name,
            meaning,
            about,
            computers: group.computers,
            failing: group.installations,
            scans: group.detections,
            new_computers: group.new_computers,
            new: group.is_new,
            first_at: group.first_at,
            last_at: group.last_at,
            codes: group.codes.into_iter().map(count).collect(),
        }
    }
}

/// Groups of errors, those of most computers first.
pub(crate) async fn errors(app: &App, query: ErrorsQuery) -> Result<List<ErrorGroup>, AdminError> {
    let limit = list::limit(query.limit)?;
    if query.only_new && query.since.is_none() {
        return Err(AdminError::Invalid {
            code: "since",
            detail: "only_new needs since".to_owned(),
            next_step: Some("give since, such as 7d".to_owned()),
        });
    }
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let asked = asked(tx, &tree, of, query.since.as_deref())?;
        let mut groups = Groups::new(asked.since);
        each_failing(tx, &live, &tree, &asked, &mut |failing| {
            groups.add_computer(occurrences(failing, query.by, &tree));
        })?;
        let groups = groups.finish().into_iter().filter(|group| !query.only_new || group.is_new == Some(true));
        let page = list::page(groups, |group| group.key.cursor(), query.cursor.as_deref(), limit)?;
        let names = Names::read(tx, &tree, &index)?;
        Ok(List { items: page.items.into_iter().map(|group| names.shown(group)).collect(), next: page.next })
    })
    .await
}

/// What a code means, and where it occurs.
pub(crate) async fn error(app: &App, code: &str, query: ErrorQuery) -> Result<ErrorDetail, AdminError> {
    let code = error_code::parse(code).map_err(|error| AdminError::Invalid {
        code: "code",
        detail: error.to_string(),
        next_step: Some("weir compliance errors lists the codes that computers report".to_owned()),
    })?;
    let explanation = error_code::explain(code);
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let asked = asked(tx, &tree, of, query.since.as_deref())?;
        let ways = [ErrorsBy::Code, ErrorsBy::Update, ErrorsBy::Os, ErrorsBy::Site];
        let mut groups = ways.map(|by| (by, Groups::new(asked.since)));
        // an exit code and the HRESULT that is made of it are one error
        let is_meant = |failure: &Failure| {
            failure.code.is_some() && (failure.code == Some(code) || failure.code == explanation.as_hresult)
        };
        each_failing(tx, &live, &tree, &asked, &mut |failing| {
            let failures = failing.failures.iter().filter(|failure| is_meant(failure));
            let those = Failing {
                row: failing.row,
                os: failing.os,
                // one group of all, whichever of its forms a computer reported
                failures: failures.map(|failure| Failure { code: Some(code), ..*failure }).collect(),
            };
            for (by, groups) in &mut groups {
                groups.add_computer(occurrences(&those, *by, &tree));
            }
        })?;
        let names = Names::read(tx, &tree, &index)?;
        let [mut whole, updates, systems, sites] = groups.map(|(_, groups)| {
            let shown = groups.finish().into_iter().take(MOST_OF_CODE).map(|group| names.shown(group));
            shown.collect::<Vec<_>>()
        });
        Ok(ErrorDetail { explanation: explained(&explanation), occurs: whole.pop(), updates, systems, sites })
    })
    .await
}

fn explained(explanation: &Explanation) -> ErrorExplanation {
    let Explanation { code, layout, known, as_hresult } = explanation;
    ErrorExplanation {
        code: error_code::text(*code),
        decimal: code.cast_signed(),
        known: known.is_some(),
        name: explanation.name().map(str::to_owned),
        meaning: explanation.meaning(),
        cause: known.map(|known| known.cause.to_owned()),
        next_step: known.map(|known| known.next_step.to_owned()),
        source: known.map(|known| known.source.document().to_owned()),
        looked_up_as: as_hresult.map(error_code::text),
        layout: CodeLayout {
            severity: layout.severity().to_owned(),
            facility: layout.facility,
            facility_name: layout.facility().map(|facility| facility.name.to_owned()),
            number: layout.number,
            sentence: layout.describe(),
        },
    }
}
