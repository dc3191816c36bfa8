//! Computers that are not what their ids say: several machines with one id, and machines with several.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List,
    freshness::{
        CloneCertainty, CloneEvidence, ClonePrint, ClonedComputer, DuplicateComputer, DuplicateLikeness, DuplicateName,
        DuplicateStanding,
    },
    list::ListQuery,
};
use weir_model::{
    identity::{self, Certainty, Cloned, Duplicate, Evidence, Likeness, Memory, Sighting, Standing},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError};

use super::{
    AdminError, App, Caller,
    collection::Tree,
    computer::{missing, parse},
    computer_roster::Roster,
    list,
};

/// Of more computers than these, who may be a duplicate is found in memory.
const MANY: usize = 10_000;

/// Ids that several machines share, as of now, by row number.
pub(crate) fn cloned(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<(u32, Memory, Cloned)>, StoreError> {
    let all = tx.computer_prints_all()?;
    let judged = all.into_iter().filter_map(|(no, memory)| memory.judge(now).map(|cloned| (no, memory, cloned)));
    Ok(judged.collect())
}

/// Names that several computers of this site have, by name.
pub(crate) fn duplicated(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<Duplicate>, StoreError> {
    let mut known = Vec::new();
    tx.computer_known_each(|row| known.push(row))?;
    Ok(identity::duplicates(known, now))
}

/// Where computers that share a name are looked for by requests.
pub(crate) enum Alike {
    /// In the rows of all.
    All,
    /// In the rows of those that shared one when names were read, a minute ago at most.
    Some(Arc<Roster>),
}

impl Alike {
    pub(crate) async fn current(app: &App) -> Result<Self, AdminError> {
        if app.state.live.directory.len() < MANY {
            return Ok(Self::All);
        }
        Roster::current(app).await.map(Self::Some)
    }

    /// [`duplicated`], by name. What is said of each computer is as it is now.
    pub(crate) fn duplicated(&self, tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<Duplicate>, StoreError> {
        match self {
            Self::All => duplicated(tx, now),
            Self::Some(roster) => Ok(identity::duplicates(tx.computer_known_of(roster.alike())?, now)),
        }
    }

    /// When names were read, if that was before this question.
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        match self {
            Self::All => None,
            Self::Some(roster) => Some(roster.as_of()),
        }
    }
}

/// Lists ids that several machines share.
pub(crate) async fn clones(app: &App, scope: Scope, query: ListQuery) -> Result<List<ClonedComputer>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let mut all = Vec::new();
        for one in cloned(tx, Timestamp::now())? {
            if sees(tx, &tree, one.0)? {
                all.push(one);
            }
        }
        let page = list::page(all, |(no, ..)| no.to_string(), query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for (no, memory, cloned) in page.items {
            let Some(row) = tx.computer_show(no)? else { continue };
            items.push(ClonedComputer {
                id: row.id.to_string(),
                name: row.dns_name,
                certainty: match cloned.certainty {
                    Certainty::Suspected => CloneCertainty::Suspected,
                    Certainty::Certain => CloneCertainty::Certain,
                },
                evidence: cloned.evidence.into_iter().map(evidence).collect(),
                since: cloned.since,
                last: cloned.last,
                prints: prints(&memory),
            });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// Whether a computer lies within the scope of who asks.
fn sees(tx: &ReadTx<'_>, tree: &Tree, no: u32) -> Result<bool, StoreError> {
    Ok(!tree.is_limited() || tree.sees_any(&tx.computer_collections(no)?))
}

fn evidence(evidence: Evidence) -> CloneEvidence {
    match evidence {
        Evidence::NamesTakeTurns => CloneEvidence::NamesTakeTurns,
        Evidence::ManyNames => CloneEvidence::ManyNames,
        Evidence::SheetsTakeTurns => CloneEvidence::SheetsTakeTurns,
        Evidence::AnchorsStepBack => CloneEvidence::AnchorsStepBack,
    }
}

fn prints(memory: &Memory) -> Vec<ClonePrint> {
    let mut sightings: Vec<&Sighting> = memory.sightings().iter().collect();
    sightings.sort_by(|a, b| (a.channel, a.first_seen, &a.print).cmp(&(b.channel, b.first_seen, &b.print)));
    let shown = sightings.into_iter().map(|seen| ClonePrint {
        name: seen.print.name.clone(),
        hardware: seen.print.hardware.clone(),
        system: seen.print.system.clone(),
        address: seen.address.clone(),
        first_seen: seen.first_seen,
        last_seen: seen.last_seen,
        returns: seen.returns,
    });
    shown.collect()
}

/// Forgets what a computer was seen as: what comes is compared anew.
pub(crate) async fn forget(app: &App, caller: &Caller, id: &str) -> Result<(), AdminError> {
    let id = parse(id)?;
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        Tree::within(tx, &scope)?.check_computer(&id, &tx.computer_collections(row.no)?)?;
        let before = tx.computer_prints(row.no)?.sightings().len();
        tx.computer_prints_put(row.no, &Memory::default())?;
        tx.audit("computer.prints.forget", &id.to_string(), Some(&json!({ "prints": before })), None)?;
        Ok(())
    })
    .await
}

/// Lists names that several computers have.
pub(crate) async fn duplicates(app: &App, scope: Scope, query: ListQuery) -> Result<List<DuplicateName>, AdminError> {
    let limit = list::limit(query.limit)?;
    let alike = Alike::current(app).await?;
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        // of a name, all computers are told, or none: who sees one of them only would not see what it is a duplicate of
        let mut all = Vec::new();
        for found in alike.duplicated(tx, Timestamp::now())? {
            let mut seen = true;
            for member in &found.members {
                seen = seen && sees(tx, &tree, member.no)?;
            }
            if seen {
                all.push(found);
            }
        }
        let page = list::page(all, |found| found.name.clone(), query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for found in page.items {
            let mut computers = Vec::with_capacity(found.members.len());
            for member in found.members {
                let Some(row) = tx.computer_show(member.no)? else { continue };
                computers.push(DuplicateComputer {
                    id: row.id.to_string(),
                    address: row.ip_address,
                    likeness: match member.likeness {
                        Likeness::Hardware => DuplicateLikeness::Hardware,
                        Likeness::Name => DuplicateLikeness::Name,
                    },
                    standing: match member.standing {
                        Standing::Newest => DuplicateStanding::Newest,
                        Standing::InUse => DuplicateStanding::InUse,
                        Standing::LeftBehind => DuplicateStanding::LeftBehind,
                    },
                    retires: member.retires(),
                    first_seen: row.first_contact_at,
                    last_contact: row.last_contact_at,
                });
            }
            items.push(DuplicateName { name: found.name, computers });
        }
        Ok(List { items, next: page.next })
    })
    .await
}
