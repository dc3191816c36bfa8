//! Compliance, computed from what is offered and what was reported.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use weir_api::computer::StateCounts;
use weir_model::{
    ids::{ChangeNumber, UpdateId},
    status::{ComputerStatus, State, UpdateNumber, computer_state},
};
use weir_store::{ReadTx, StoreError, computer::DirectoryRow};

use crate::live::{GroupSet, Live, Published};

/// One update that computers with the same collections are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) update: UpdateId,
    pub(crate) number: UpdateNumber,
    pub(crate) entered: ChangeNumber,
}

/// What each set of collections is asked about, kept while one question is answered.
pub(crate) struct Questions {
    live: Live,
    published: Arc<Published>,
    asked: HashMap<Arc<GroupSet>, Arc<[Asked]>>,
}

impl Questions {
    pub(crate) fn new(live: &Live) -> Self {
        Self { live: live.clone(), published: live.current(), asked: HashMap::new() }
    }

    /// What a computer with these collections is asked about, by update number.
    pub(crate) fn of(&mut self, groups: &[weir_model::ids::CollectionId]) -> Arc<[Asked]> {
        let set = self.live.directory.group_set(groups);
        let published = &self.published;
        let asked = self.asked.entry(set).or_insert_with_key(|set| {
            let scope = published.scope(set);
            let offers = published.snapshot.offers(&scope.scope);
            let mut asked: Vec<Asked> = offers
                .into_iter()
                .filter(|offer| offer.reportable)
                .filter_map(|offer| {
                    let update = offer.identity.update_id;
                    Some(Asked { update, number: published.status_number(update)?, entered: offer.entered })
                })
                .collect();
            asked.sort_by_key(|asked| asked.number);
            asked.into()
        });
        Arc::clone(asked)
    }

    /// The published state that the questions are from.
    pub(crate) fn published(&self) -> &Arc<Published> {
        &self.published
    }
}

/// A stored status; none is one that never reported.
pub(crate) fn decode(bytes: &[u8]) -> ComputerStatus {
    if bytes.is_empty() {
        return ComputerStatus::default();
    }
    ComputerStatus::decode(bytes).unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored status cannot be read and counts as never reported");
        ComputerStatus::default()
    })
}

/// States by update and by computer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Members that were counted.
    pub(crate) computers: u64,
    /// Members in a compliant state.
    pub(crate) compliant: u64,
    /// Members by the one state of each.
    pub(crate) states: StateCounts,
    /// Members by state, for every update that some member is asked about.
    pub(crate) updates: HashMap<UpdateId, StateCounts>,
}

impl Tally {
    /// Counts all computers that `member` lets through.
    pub(crate) fn count(
        tx: &ReadTx<'_>,
        live: &Live,
        member: &dyn Fn(&DirectoryRow) -> bool,
    ) -> Result<Self, StoreError> {
        Self::count_of(tx, live, member, None)
    }

    /// The same for some updates only.
    pub(crate) fn count_of(
        tx: &ReadTx<'_>,
        live: &Live,
        member: &dyn Fn(&DirectoryRow) -> bool,
        only: Option<&HashSet<UpdateId>>,
    ) -> Result<Self, StoreError> {
        let mut questions = Questions::new(live);
        let mut tally = Self::default();
        let mut statuses = HashMap::new();
        let rows: Vec<DirectoryRow> = tx.computer_directory()?.into_iter().filter(|row| member(row)).collect();
        if rows.is_empty() {
            return Ok(tally);
        }
        let members: HashMap<u32, usize> = rows.iter().enumerate().map(|(at, row)| (row.no, at)).collect();
        tx.computer_status_each(&mut |no, row| {
            if members.contains_key(&no) {
                statuses.insert(no, decode(&row.status));
            }
            Ok(())
        })?;
        let mut narrowed: HashMap<*const Asked, Vec<Asked>> = HashMap::new();
        for row in &rows {
            let asked = questions.of(&row.groups);
            let asked: &[Asked] = match only {
                None => &asked,
                // once for each set of collections: `questions` keeps what it points at
                Some(only) => narrowed
                    .entry(asked.as_ptr())
                    .or_insert_with(|| asked.iter().copied().filter(|it| only.contains(&it.update)).collect()),
            };
            let status = statuses.remove(&row.no).unwrap_or_default();
            tally.add(asked, &status);
        }
        Ok(tally)
    }

    fn add(&mut self, asked: &[Asked], status: &ComputerStatus) {
        let states: Vec<State> = asked.iter().map(|asked| status.state_of(asked.number, Some(asked.entered))).collect();
        for (asked, state) in asked.iter().zip(&states) {
            add(self.updates.entry(asked.update).or_default(), *state);
        }
        let state = computer_state(status.reported.is_some(), states);
        self.computers += 1;
        self.compliant += u64::from(state.is_compliant());
        add(&mut self.states, state);
    }
}

/// Counts one more.
pub(crate) fn add(counts: &mut StateCounts, state: State) {
    let count = match state {
        State::Unknown => &mut counts.unknown,
        State::NotApplicable => &mut counts.not_applicable,
        State::Required => &mut counts.required,
        State::Downloaded => &mut counts.downloaded,
        State::Installed => &mut counts.installed,
        State::Failed => &mut counts.failed,
        State::PendingRestart => &mut counts.pending_restart,
    };
    *count += 1;
}

/// Needed, as design section 7 counts it; failed is apart.
pub(crate) fn needed(counts: &StateCounts) -> u64 {
    counts.required + counts.downloaded + counts.pending_restart
}

/// A share in percent with one decimal; 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 1_000.0 / whole as f64).round() / 10.0 }
}
