//! Computers that are not what their ids say: several machines with one id, and machines with several.

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
use weir_model::identity::{self, Certainty, Cloned, Duplicate, Evidence, Likeness, Memory, Sighting, Standing};
use weir_store::{ReadTx, StoreError};

use super::{
    AdminError, App, Caller,
    computer::{missing, parse},
    list,
};

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

/// Lists ids that several machines share.
pub(crate) async fn clones(app: &App, query: ListQuery) -> Result<List<ClonedComputer>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let all = cloned(tx, Timestamp::now())?;
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
    app.write(caller, move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        let before = tx.computer_prints(row.no)?.sightings().len();
        tx.computer_prints_put(row.no, &Memory::default())?;
        tx.audit("computer.prints.forget", &id.to_string(), Some(&json!({ "prints": before })), None)?;
        Ok(())
    })
    .await
}

/// Lists names that several computers have.
pub(crate) async fn duplicates(app: &App, query: ListQuery) -> Result<List<DuplicateName>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let all = duplicated(tx, Timestamp::now())?;
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
