//! Why installations and scans fail: codes explained, and put into groups over what computers reported last.
//!
//! Most computers have no failure. Those that have one are known: of installations to the index of compliance, of scans to the
//! database. Nothing is read of any other, and what was read is kept until a computer changes.

mod kept;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use weir_api::{
    List,
    failure::{CodeLayout, ErrorCount, ErrorDetail, ErrorExplanation, ErrorGroup, ErrorQuery, ErrorsBy, ErrorsQuery},
};
use weir_model::{
    compliance::Placed,
    error_code::{self, Explanation, ServerCode},
    failure::{FailureKind, Group, Groups, Occurrence},
    ids::{CollectionId, UpdateId},
    rights::Scope,
    status::{Entry, State},
};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, failure::OperatingSystem};

pub(crate) use self::kept::Kept;
use super::{
    AdminError, App,
    collection::Tree,
    index::Index,
    list, rollup,
    servers::{self, Servers},
    tally::{Questions, Who},
    when,
};
use crate::live::Live;

/// Computers whose failures are in memory at once.
const AT_ONCE: usize = 1_024;
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
    computer: &'c Placed,
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
/// of no interest any more), and of its last scan. Its operating system is read only if `systems` says so.
fn each_failing(
    tx: &ReadTx<'_>,
    (live, kept): (&Live, &Kept),
    tree: &Tree,
    asked: &Asked,
    systems: bool,
    each: &mut dyn FnMut(&Failing<'_>),
) -> Result<(), StoreError> {
    let mut scans: HashMap<u32, Failure> = HashMap::new();
    for scan in tx.failed_scans()? {
        let (kind, code) = (FailureKind::Detection, scan.error.map(i32::cast_unsigned));
        scans.insert(scan.no, Failure { update: None, kind, code, at: scan.at });
    }
    let scanned: Vec<u32> = scans.keys().copied().collect();
    let (installing, scanning) = {
        // the index is let go before anything is read
        let view = live.compliance(tx)?;
        let members = Who::of(tree, asked.collection, asked.site).members(&view);
        (view.failing(&members), view.members_of(&members, &scanned))
    };
    let reporting: HashSet<u32> = installing.iter().map(|computer| computer.no).collect();
    let mut computers = installing;
    computers.extend(scanning.into_iter().filter(|computer| !reporting.contains(&computer.no)));
    computers.sort_unstable_by_key(|computer| computer.no);
    let mut questions = Questions::new(live);
    for some in computers.chunks(AT_ONCE) {
        let place = |no: u32| some.binary_search_by_key(&no, |computer| computer.no).ok();
        let mut failures: Vec<Vec<Failure>> = some.iter().map(|_| Vec::new()).collect();
        let numbers: Vec<u32> = some.iter().map(|computer| computer.no).filter(|no| reporting.contains(no)).collect();
        for (no, entries) in kept.entries(tx, &numbers)? {
            if let Some((computer, failures)) = place(no).and_then(|at| some.get(at).zip(failures.get_mut(at))) {
                failures.extend(installations(&mut questions, computer, &entries));
            }
        }
        for (computer, failures) in some.iter().zip(&mut failures) {
            failures.extend(scans.remove(&computer.no));
        }
        let with = some.iter().zip(failures).filter(|(_, failures)| !failures.is_empty());
        let with: Vec<(&Placed, Vec<Failure>)> = with.collect();
        let numbers: Vec<u32> = with.iter().filter(|_| systems).map(|(computer, _)| computer.no).collect();
        let known: HashMap<u32, OperatingSystem> = tx.computer_systems_of(&numbers)?.into_iter().collect();
        for (computer, failures) in with {
            each(&Failing { computer, os: known.get(&computer.no), failures });
        }
    }
    Ok(())
}

/// The installations that failed, of what a computer said of failures.
fn installations(questions: &mut Questions, computer: &Placed, entries: &[Entry]) -> Vec<Failure> {
    let known = questions.of(&computer.collections);
    let mut found = Vec::new();
    for entry in entries {
        let kind = match (entry.state, entry.error) {
            (State::Failed, _) => FailureKind::Installation,
            (_, Some(_)) => FailureKind::Earlier,
            (_, None) => continue,
        };
        let Ok(at) = known.binary_search_by_key(&entry.update, |it| it.number) else { continue };
        let code = entry.error.map(i32::cast_unsigned);
        found.extend(known.get(at).map(|it| Failure { update: Some(it.update), kind, code, at: entry.changed }));
    }
    found
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

/// Puts failures of computers into groups.
struct Grouping<'g> {
    by: ErrorsBy,
    tree: &'g Tree,
    groups: Groups<Key>,
    /// The collections that hold computers with the same collections.
    holders: HashMap<Arc<[CollectionId]>, Vec<CollectionId>>,
}

impl<'g> Grouping<'g> {
    fn new(by: ErrorsBy, tree: &'g Tree, since: Option<Timestamp>) -> Self {
        Self { by, tree, groups: Groups::new(since), holders: HashMap::new() }
    }

    /// Takes up the failures of a computer.
    fn add(&mut self, failing: &Failing<'_>) {
        let Placed { site, collections, .. } = failing.computer;
        let mut found = Vec::new();
        for failure in &failing.failures {
            let of = |key| Occurrence { key, kind: failure.kind, code: failure.code, at: failure.at };
            match self.by {
                ErrorsBy::Code => found.push(of(Key::Code(failure.code))),
                ErrorsBy::Collection => {
                    let tree = self.tree;
                    let holders = self.holders.entry(Arc::clone(collections)).or_insert_with(|| {
                        let seen = tree.rows.iter().map(|row| row.id).filter(|id| tree.sees(*id));
                        seen.filter(|id| tree.holds_any(*id, collections)).collect()
                    });
                    found.extend(holders.iter().map(|id| of(Key::Collection(*id))));
                }
                ErrorsBy::Os => found.push(of(Key::Os(failing.os.cloned()))),
                ErrorsBy::Site => found.push(of(Key::Site(*site))),
                ErrorsBy::Update => found.push(of(Key::Update(failure.update))),
            }
        }
        self.groups.add_computer(found);
    }
}

/// What groups are called.
struct Names<'n> {
    tree: &'n Tree,
    index: &'n Index,
    servers: Servers,
    /// How old the oldest of what servers below told is.
    rolled_up: Option<Timestamp>,
}

impl<'n> Names<'n> {
    fn read(
        tx: &ReadTx<'_>,
        live: &Live,
        (tree, index): (&'n Tree, &'n Index),
        asked: &Asked,
    ) -> Result<Self, StoreError> {
        let rolled_up = servers::oldest_within(tx, live, tree, asked.collection, asked.site)?;
        Ok(Self { tree, index, servers: Servers::read(tx)?, rolled_up })
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
                about = self.servers.get(*no).cloned();
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
            rolled_up: self.rolled_up,
        }
    }
}

/// Groups of errors, those of most computers first.
pub(crate) async fn errors(app: &App, scope: Scope, query: ErrorsQuery) -> Result<List<ErrorGroup>, AdminError> {
    let limit = list::limit(query.limit)?;
    if query.only_new && query.since.is_none() {
        return Err(AdminError::Invalid {
            code: "since",
            detail: "only_new needs since".to_owned(),
            next_step: Some("give since, such as 7d".to_owned()),
        });
    }
    let index = Index::current(app).await?;
    let (live, shared) = (app.state.live.clone(), app.clone());
    app.try_read(move |tx| {
        let kept = &shared.shared().reported_failures;
        let tree = Tree::within(tx, &scope)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let asked = asked(tx, &tree, of, query.since.as_deref())?;
        let mut grouping = Grouping::new(query.by, &tree, asked.since);
        let systems = query.by == ErrorsBy::Os;
        each_failing(tx, (&live, kept), &tree, &asked, systems, &mut |failing| grouping.add(failing))?;
        let groups = grouping.groups.finish().into_iter().filter(|group| !query.only_new || group.is_new == Some(true));
        let page = list::page(groups, |group| group.key.cursor(), query.cursor.as_deref(), limit)?;
        let names = Names::read(tx, &live, (&tree, &index), &asked)?;
        Ok(List { items: page.items.into_iter().map(|group| names.shown(group)).collect(), next: page.next })
    })
    .await
}

/// What a code means, and where it occurs.
pub(crate) async fn error(app: &App, scope: Scope, code: &str, query: ErrorQuery) -> Result<ErrorDetail, AdminError> {
    if let Some(known) = error_code::find_server(code) {
        let explanation = of_server(known);
        // computers do not report it: what they make of it has a number
        return Ok(ErrorDetail {
            explanation,
            occurs: None,
            updates: Vec::new(),
            systems: Vec::new(),
            sites: Vec::new(),
        });
    }
    let code = error_code::parse(code).map_err(|error| AdminError::Invalid {
        code: "code",
        detail: error.to_string(),
        next_step: Some("weir compliance errors lists the codes that computers report".to_owned()),
    })?;
    let explanation = error_code::explain(code);
    let index = Index::current(app).await?;
    let (live, shared) = (app.state.live.clone(), app.clone());
    app.try_read(move |tx| {
        let kept = &shared.shared().reported_failures;
        let tree = Tree::within(tx, &scope)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let asked = asked(tx, &tree, of, query.since.as_deref())?;
        let ways = [ErrorsBy::Code, ErrorsBy::Update, ErrorsBy::Os, ErrorsBy::Site];
        let mut groupings = ways.map(|by| Grouping::new(by, &tree, asked.since));
        // an exit code and the HRESULT that is made of it are one error
        let is_meant = |failure: &Failure| {
            failure.code.is_some() && (failure.code == Some(code) || failure.code == explanation.as_hresult)
        };
        each_failing(tx, (&live, kept), &tree, &asked, true, &mut |failing| {
            let failures = failing.failures.iter().filter(|failure| is_meant(failure));
            let those = Failing {
                computer: failing.computer,
                os: failing.os,
                // one group of all, whichever of its forms a computer reported
                failures: failures.map(|failure| Failure { code: Some(code), ..*failure }).collect(),
            };
            for grouping in &mut groupings {
                grouping.add(&those);
            }
        })?;
        let names = Names::read(tx, &live, (&tree, &index), &asked)?;
        let [mut whole, updates, systems, sites] = groupings.map(|grouping| {
            let shown = grouping.groups.finish().into_iter().take(MOST_OF_CODE).map(|group| names.shown(group));
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
        decimal: Some(code.cast_signed()),
        known: known.is_some(),
        name: explanation.name().map(str::to_owned),
        meaning: explanation.meaning(),
        cause: known.map(|known| known.cause.to_owned()),
        next_step: known.map(|known| known.next_step.to_owned()),
        source: known.map(|known| known.source.document().to_owned()),
        looked_up_as: as_hresult.map(error_code::text),
        layout: Some(CodeLayout {
            severity: layout.severity().to_owned(),
            facility: layout.facility,
            facility_name: layout.facility().map(|facility| facility.name.to_owned()),
            number: layout.number,
            sentence: layout.describe(),
        }),
    }
}

fn of_server(known: &ServerCode) -> ErrorExplanation {
    ErrorExplanation {
        code: known.name.to_owned(),
        decimal: None,
        known: true,
        name: Some(known.name.to_owned()),
        meaning: known.meaning.to_owned(),
        cause: Some(known.cause.to_owned()),
        next_step: Some(known.next_step.to_owned()),
        source: Some(known.source.to_owned()),
        looked_up_as: None,
        layout: None,
    }
}

#[cfg(test)]
mod tests {
    use weir_wire::soap::ErrorCode;

    use super::*;

    #[test]
    fn every_code_that_servers_answer_with_is_explained() {
        for code in ErrorCode::ALL {
            assert!(error_code::find_server(code.name()).is_some(), "{code}");
        }
        for known in error_code::server_codes() {
            assert!(known.name.parse::<ErrorCode>().is_ok(), "{} is on no wire", known.name);
        }
    }
}
