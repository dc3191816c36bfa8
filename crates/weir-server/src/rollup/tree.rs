//! The servers below as a roll-up finds them, and of which of them its sender may speak.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::rollup::{ParentError, Place, ServerEntry, Standing, Unheard, Verdict, ancestors, judge, place};
use weir_store::{ReadTx, StoreError, WriteTx, alert::AlertSeverity, computer::THIS_SERVER};

/// Alert: a server tells of one that is not below it.
pub(crate) const CLAIM: &str = "downstream.claim";

/// How far the clock of a server that moves may be ahead: what it says is compared with its own later times.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Who may have made a roll-up call, which carries no identity of its own (MS-WSUSSS 3.1.4.13).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reporter {
    /// This server: it proved itself, or it alone was authorized from there.
    One(Uuid),
    /// One of these, which share an address.
    OneOf(BTreeSet<Uuid>),
}

/// A server below.
struct Known {
    no: u32,
    name: String,
    parent_no: u32,
    last_rollup: Option<Timestamp>,
    clock_shift: Option<i64>,
}

/// The servers below, by their ids.
pub(super) struct Servers {
    standing: BTreeMap<Uuid, Standing>,
    tree: BTreeMap<Uuid, Place>,
    known: BTreeMap<Uuid, Known>,
}

impl Servers {
    pub(super) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let rows = tx.rollup_server_numbers()?;
        let rolled: BTreeMap<u32, _> = tx.rollup_servers()?.into_iter().map(|row| (row.no, row)).collect();
        let authorized: BTreeMap<u32, _> =
            tx.downstream_list()?.into_iter().map(|row| (row.no, row.authorized_at)).collect();
        let enrolled: BTreeSet<Uuid> = tx.sites_enrolments()?.into_iter().map(|row| row.server_id).collect();
        let ids: BTreeMap<u32, Uuid> = rows.iter().map(|(no, id, ..)| (*no, *id)).collect();
        let (mut standing, mut known) = (BTreeMap::new(), BTreeMap::new());
        for (no, id, name, parent_no) in rows {
            let place = ids.get(&parent_no).map_or(Place::Here, |id| Place::Below(*id));
            let row = rolled.get(&no);
            let told = row.filter(|_| place != Place::Here).map(|row| row.received_at);
            let heard = authorized.get(&no).copied().flatten().max(told);
            standing.insert(id, Standing { place, enrolled: enrolled.contains(&id), heard });
            let (last_rollup, clock_shift) = (row.and_then(|row| row.last_rollup), row.map(|row| row.clock_shift));
            known.insert(id, Known { no, name, parent_no, last_rollup, clock_shift });
        }
        let tree = standing.iter().map(|(id, standing)| (*id, standing.place)).collect();
        Ok(Self { standing, tree, known })
    }

    pub(super) fn number(&self, server: Uuid) -> Option<u32> {
        self.known.get(&server).map(|known| known.no)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Notes a server that another one tells of.
    pub(super) fn add(&mut self, tx: &WriteTx<'_>, entry: &ServerEntry) -> Result<(), StoreError> {
        if self.known.contains_key(&entry.id) {
            return Ok(());
        }
        let no = tx.rollup_server_add(entry.id, &entry.name)?;
        let known =
            Known { no, name: entry.name.clone(), parent_no: THIS_SERVER, last_rollup: None, clock_shift: None };
        self.known.insert(entry.id, known);
        Ok(())
    }

    /// Its number, and the milliseconds by which its times were corrected, if it reported before.
    pub(super) fn shift(&self, server: Uuid) -> Option<(u32, i64)> {
        let known = self.known.get(&server)?;
        Some((known.no, known.clock_shift?))
    }

    /// Notes that a server reported now, so that the difference of its clock is kept with it.
    pub(super) fn told(&mut self, server: Uuid) {
        if let Some(known) = self.known.get_mut(&server) {
            known.clock_shift.get_or_insert_default();
        }
    }

    /// The server directly below this one through which a server reports.
    fn top(tree: &BTreeMap<Uuid, Place>, server: Uuid) -> Uuid {
        ancestors(tree, server).ok().and_then(|above| above.last().copied()).unwrap_or(server)
    }

    /// Who told of these servers, if that can be known: those who share an address say so by naming themselves.
    pub(super) fn teller(&self, reporter: &Reporter, entries: &[ServerEntry], ours: Uuid) -> Option<Uuid> {
        match reporter {
            Reporter::One(id) => Some(*id),
            Reporter::OneOf(ids) => {
                let mut tree = self.tree.clone();
                tree.extend(entries.iter().map(|entry| (entry.id, place(entry.parent, ours))));
                entries.iter().map(|entry| Self::top(&tree, entry.id)).find(|id| ids.contains(id))
            }
        }
    }

    /// Whether a server is the one who calls, or below it.
    pub(super) fn is_of(&self, reporter: &Reporter, server: Uuid) -> bool {
        if !self.known.contains_key(&server) {
            return false;
        }
        let above = ancestors(&self.tree, server).unwrap_or_default();
        let is_it = |id: &Uuid| *id == server || above.contains(id);
        match reporter {
            Reporter::One(id) => is_it(id),
            Reporter::OneOf(ids) => ids.iter().any(is_it),
        }
    }

    /// Whose clock counts: the one who calls, else the server directly below this one through which `server` reports.
    pub(super) fn clock_of(&self, reporter: &Reporter, server: Option<Uuid>) -> Option<Uuid> {
        match reporter {
            Reporter::One(id) => Some(*id),
            Reporter::OneOf(ids) => server.map(|server| Self::top(&self.tree, server)).filter(|id| ids.contains(id)),
        }
    }

    /// The numbers of a server and of all below it.
    pub(super) fn below(&self, server: Uuid) -> BTreeSet<u32> {
        let within = |id: Uuid| id == server || ancestors(&self.tree, id).is_ok_and(|up| up.contains(&server));
        self.known.iter().filter(|(id, _)| within(**id)).map(|(_, known)| known.no).collect()
    }

    /// Which entries count: those about `teller` and servers below it, and of these what is not older than what is known.
    /// The others are counted, and an administrator hears of a claim that may be a wrong one.
    pub(super) fn taken<'e>(
        &self,
        tx: &WriteTx<'_>,
        ours: Uuid,
        teller: Uuid,
        entries: &'e [ServerEntry],
        now: Timestamp,
    ) -> Result<Result<Vec<&'e ServerEntry>, ParentError>, StoreError> {
        let said: Vec<_> = entries.iter().map(|entry| (entry.id, place(entry.parent, ours))).collect();
        let verdicts = match judge(&self.standing, ours, teller, &said, now) {
            Ok(verdicts) => verdicts,
            Err(error) => return Ok(Err(error)),
        };
        let (mut taken, mut dropped) = (Vec::new(), Dropped::default());
        for (entry, verdict) in entries.iter().zip(verdicts) {
            let before = self.known.get(&entry.id);
            let last = before.and_then(|before| before.last_rollup);
            match verdict {
                Verdict::Unheard(why) if entry.last_rollup > last => dropped.claim(entry, why),
                // what is left at a server's former parent: it says what it said
                Verdict::Unheard(_) => dropped.count("stale"),
                Verdict::Moved if entry.last_rollup <= last => dropped.count("stale"),
                Verdict::Moved if entry.last_rollup.is_some_and(|at| at > now + AHEAD) => dropped.count("future"),
                Verdict::Moved => {
                    let under = |id: Option<Uuid>| serde_json::json!({ "name": entry.name, "under": id });
                    let above = self.standing.get(&entry.id).and_then(|standing| match standing.place {
                        Place::Below(parent) => Some(parent),
                        Place::Here => None,
                    });
                    let (before, after) = (under(above), under(Some(entry.parent)));
                    tx.audit("downstream.move", &entry.id.to_string(), Some(&before), Some(&after))?;
                    self.renew(tx, entry.id)?;
                    taken.push(entry);
                }
                // By the server's own clock, that its later times cannot undercut. What others said of it binds nobody.
                Verdict::Heard => {
                    let by_others = entry.id == teller && before.is_some_and(|before| before.parent_no != THIS_SERVER);
                    if by_others {
                        self.renew(tx, entry.id)?;
                    }
                    if by_others || last <= entry.last_rollup {
                        taken.push(entry);
                    }
                }
            }
        }
        let name = self.known.get(&teller).map_or(Cow::Borrowed("?"), |known| Cow::Owned(known.name.clone()));
        dropped.tell(tx, teller, &name)?;
        Ok(Ok(taken))
    }

    /// Another server tells of these computers from now on, and counts what it tells by itself: everything is asked for.
    fn renew(&self, tx: &WriteTx<'_>, server: Uuid) -> Result<(), StoreError> {
        self.below(server).into_iter().try_for_each(|no| tx.rollup_computers_renew(no))
    }
}

/// What was left out of a call.
#[derive(Default)]
struct Dropped {
    counts: BTreeMap<&'static str, u64>,
    /// The first that may be more than a leftover.
    claim: Option<(Uuid, String, Unheard)>,
}

impl Dropped {
    fn count(&mut self, reason: &'static str) {
        *self.counts.entry(reason).or_default() += 1;
    }

    fn claim(&mut self, entry: &ServerEntry, why: Unheard) {
        self.count(why.word());
        self.claim.get_or_insert_with(|| (entry.id, entry.name.clone(), why));
    }

    fn tell(self, tx: &WriteTx<'_>, teller: Uuid, name: &str) -> Result<(), StoreError> {
        for (reason, count) in &self.counts {
            left_out("servers", reason, *count);
        }
        let Some((id, claimed, why)) = self.claim else {
            tx.alert_close(CLAIM, &teller.to_string())?;
            return Ok(());
        };
        tracing::warn!(
            %teller, %id, reason = why.word(), left_out = ?self.counts,
            "a downstream server tells of servers that are not below it"
        );
        let what = match why {
            Unheard::Elsewhere => "which reports here by itself or through another server",
            Unheard::Enrolled => "which is a site enrolled here",
            Unheard::Outside => "which would not be below it",
        };
        let message = format!(
            "server {name} ({teller}) tells of server {claimed} ({id}), {what}; that was left out. A server that moved is \
             taken over a day after it was heard of last (a site once it is removed here); if none has moved: weir \
             downstream refuse {teller}"
        );
        tx.alert_open(CLAIM, &teller.to_string(), AlertSeverity::Warning, &message)?;
        Ok(())
    }
}

/// Counts what was left out of a roll-up.
pub(super) fn left_out(what: &'static str, reason: &'static str, count: u64) {
    metrics::counter!("weir_rollup_left_out_total", "what" => what, "reason" => reason).increment(count);
}
