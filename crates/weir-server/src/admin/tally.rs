//! Compliance, computed from what is offered and what was reported.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use weir_api::{compliance::Summary, computer::StateCounts};
use weir_model::{
    compliance::{Members, Sum, Tally},
    freshness::Freshness,
    ids::{ChangeNumber, CollectionId, UpdateId},
    status::{ComputerStatus, Counts, State, UpdateNumber},
};
use weir_store::{ReadTx, StoreError};

use super::{collection::Tree, look::Stands, servers, setting};
use crate::live::{Live, NotCurrent, Published, View};

/// One update that computers with the same collections are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) update: UpdateId,
    pub(crate) number: UpdateNumber,
    pub(crate) entered: ChangeNumber,
}

/// What sets of collections share.
type List = Arc<[weir_model::compliance::Asked]>;

/// What each set of collections is asked about, kept while one question is answered.
pub(crate) struct Questions {
    live: Live,
    published: Arc<Published>,
    /// By the address of the list that they are from, which is kept for that: most sets of collections share one.
    asked: HashMap<usize, (List, Arc<[Asked]>)>,
}

impl Questions {
    pub(crate) fn new(live: &Live) -> Self {
        Self { live: live.clone(), published: live.current(), asked: HashMap::new() }
    }

    /// What a computer with these collections is asked about, by update number.
    pub(crate) fn of(&mut self, groups: &[CollectionId]) -> Arc<[Asked]> {
        let published = &self.published;
        let list = published.asked(&self.live.directory.group_set(groups));
        let (_, asked) = self.asked.entry(list.as_ptr() as usize).or_insert_with(|| {
            let named = |it: &weir_model::compliance::Asked| {
                let update = published.update_of(it.update)?;
                Some(Asked { update, number: it.update, entered: it.entered })
            };
            let asked = list.iter().filter_map(named).collect();
            (list, asked)
        });
        Arc::clone(asked)
    }

    /// The published state that the questions are from.
    pub(crate) fn published(&self) -> &Arc<Published> {
        &self.published
    }
}

/// What was said of statuses that cannot be read.
static UNREADABLE: Mutex<Seldom> = Mutex::new(Seldom::NEVER);

/// A stored status; none is one that never reported. Every pass over all computers meets a damaged one again: the log has a
/// line an hour of them, with their number.
pub(crate) fn decode(bytes: &[u8]) -> ComputerStatus {
    if bytes.is_empty() {
        return ComputerStatus::default();
    }
    ComputerStatus::decode(bytes).unwrap_or_else(|error| {
        let mut told = UNREADABLE.lock();
        if let Some(before) = told.again(Instant::now()) {
            tracing::warn!(
                %error,
                before,
                "a stored status cannot be read and counts as never reported; the next full report of the computer mends it. \
                 Of others within an hour only the number is told, as `before`"
            );
        }
        ComputerStatus::default()
    })
}

/// Says something once an hour, and how often it happened meanwhile.
struct Seldom {
    told: Option<Instant>,
    since: u64,
}

impl Seldom {
    const NEVER: Self = Self { told: None, since: 0 };
    const PAUSE: Duration = Duration::from_secs(60 * 60);

    /// It happened again. How often it happened unsaid, if it is to be said now.
    fn again(&mut self, now: Instant) -> Option<u64> {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < Self::PAUSE) {
            self.since += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

/// Which computers are counted: those of a collection, and of one server if one is named.
pub(crate) struct Who<'t> {
    tree: &'t Tree,
    within: CollectionId,
    site: Option<u32>,
}

impl<'t> Who<'t> {
    /// The computers of a collection, and of those below it.
    pub(crate) fn of(tree: &'t Tree, within: CollectionId, site: Option<u32>) -> Self {
        Self { tree, within, site }
    }

    fn is_everybody(&self) -> bool {
        self.within == CollectionId::ALL_COMPUTERS && self.site.is_none() && !self.tree.is_limited()
    }

    /// The same as the index looks for them.
    pub(crate) fn members(&self, view: &View<'_>) -> Members {
        view.members(self.site, &|groups| self.tree.holds_any(self.within, groups))
    }
}

/// How these computers stand with all that they are asked about, or with some updates.
pub(crate) fn count(view: &View<'_>, who: &Who<'_>, only: Option<&HashSet<UpdateId>>) -> Tally {
    if only.is_none() && who.is_everybody() {
        return view.everybody();
    }
    view.count(&who.members(view), only)
}

/// How some computers stand, and how much of that is still worth something.
pub(crate) struct Stood {
    /// Silent computers and those that do not report are unknown in it if only current ones were asked for.
    pub(crate) tally: Tally,
    pub(crate) silent: u64,
    pub(crate) not_reporting: u64,
    /// Compliant ones whose reports are current.
    pub(crate) compliant_current: u64,
    /// When the oldest roll-up of the servers that were looked at arrived.
    pub(crate) rolled_up: Option<Timestamp>,
    /// When it was last read which computers are current.
    pub(crate) as_of: Timestamp,
}

impl Stood {
    /// The same without counts of single updates. `current` asks for what is current only.
    pub(crate) fn states(stands: &Stands, current: bool, as_of: Timestamp, rolled_up: Option<Timestamp>) -> Self {
        let of = |some: &Sum| Tally {
            computers: some.computers(),
            states: some.states,
            not_asked: some.not_asked,
            updates: Vec::new(),
        };
        let stale = stands.stale().filter(|_| current);
        Self {
            tally: stale.fold(of(&stands.all), |left, stale| left.without(&of(stale))),
            silent: stands.of_class(Freshness::Silent).computers(),
            not_reporting: stands.of_class(Freshness::NotReporting).computers(),
            compliant_current: stands.current(Counts::compliant),
            rolled_up,
            as_of,
        }
    }

    /// How these computers stand, with counts of every update. `current` asks for what is current only.
    pub(crate) fn of(
        tx: &ReadTx<'_>,
        live: &Live,
        who: &Who<'_>,
        only: Option<&HashSet<UpdateId>>,
        current: bool,
    ) -> Result<Self, StoreError> {
        let others = not_current(tx, live)?;
        let of_class =
            |class: Freshness| others.iter().filter(move |(_, verdict)| verdict.class == class).map(|(no, _)| *no);
        let view = live.compliance(tx)?;
        let members = who.members(&view);
        let mut tally = count(&view, who, only);
        let mut compliant_current = tally.compliant();
        let [mut silent, mut not_reporting] = [0, 0];
        for class in Freshness::ALL.into_iter().filter(|class| *class != Freshness::Current) {
            let some = view.states_in(&members, only, of_class(class));
            compliant_current = compliant_current.saturating_sub(some.compliant());
            match class {
                Freshness::Silent => silent = some.total(),
                Freshness::NotReporting => not_reporting = some.total(),
                _ => {}
            }
            if current && class.is_stale() {
                tally = tally.without(&view.count_of(&members, only, of_class(class)));
            }
        }
        let sites = view.sites(&members);
        drop(view);
        let (rolled_up, as_of) = (servers::oldest(tx, &sites)?, others.as_of);
        Ok(Self { tally, silent, not_reporting, compliant_current, rolled_up, as_of })
    }

    /// The same as the API gives it.
    pub(crate) fn summary(&self) -> Summary {
        let tally = &self.tally;
        Summary {
            computers: tally.computers,
            compliant: tally.compliant(),
            percent: tally.percent(),
            counts: shown(&tally.states),
            not_asked: tally.not_asked,
            silent: self.silent,
            not_reporting: self.not_reporting,
            compliant_current: self.compliant_current,
            rolled_up: self.rolled_up,
            as_of: self.as_of,
        }
    }
}

/// Computers whose reports are not current, by the days of the site.
pub(crate) fn not_current(tx: &ReadTx<'_>, live: &Live) -> Result<Arc<NotCurrent>, StoreError> {
    live.not_current(tx, setting::Current::read(tx)?.silent_days())
}

/// Counts as the API gives them.
pub(crate) fn shown(counts: &Counts) -> StateCounts {
    StateCounts {
        unknown: counts.unknown,
        not_applicable: counts.not_applicable,
        required: counts.required,
        downloaded: counts.downloaded,
        installed: counts.installed,
        failed: counts.failed,
        pending_restart: counts.pending_restart,
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

/// A share in percent with one decimal; 0 of nothing. Shares of compliance are [`weir_model::compliance::percent`].
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    weir_model::compliance::percent(part, whole).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_once_an_hour() {
        let (mut seldom, start) = (Seldom::NEVER, Instant::now());
        let mut at = |minutes: u64| seldom.again(start + Duration::from_secs(60 * minutes));
        assert_eq!([at(0), at(0), at(59), at(60), at(61), at(180)], [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn a_damaged_status_is_one_that_never_reported() {
        assert_eq!(decode(&[1, 255]), ComputerStatus::default());
    }
}
