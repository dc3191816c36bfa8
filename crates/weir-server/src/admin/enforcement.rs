//! How far deployments are on computers: the one answer that views of deployments, reports and alerts give. What it means is decided in
//! [`weir_model::compliance::deployment`].

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use weir_model::{
    compliance::{
        Members, Standing,
        deployment::{Enforcement, Terms},
    },
    ids::{CollectionId, UpdateId},
    schedule::Zone,
    status::State,
    targeting::{DeploymentAction, Timing},
    window::Ask,
};
use weir_store::{
    ReadTx, StoreError,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
};

use super::{collection::Tree, index::Index, list, tally::Who};
use crate::live::{Live, Published, View};

/// Minutes that an update may run if nothing is known of it.
const RUN_TIME: u32 = 60;

/// What follows from a deployment for each update: itself, or the parts of that of a group.
pub(crate) fn parts(tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Vec<(UpdateId, DeploymentRow)>, StoreError> {
    let rows = match row.deployed {
        Deployed::Update { .. } => vec![row.clone()],
        Deployed::Group(_) => {
            let filter = DeploymentFilter { update: None, collection: None, rows: Rows::Members(row.id) };
            let (mut all, mut cursor) = (Vec::new(), None);
            loop {
                let page = tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
                all.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break all;
                }
            }
        }
    };
    let part = |part: DeploymentRow| match part.deployed {
        Deployed::Update { id, .. } => Some((id, part)),
        Deployed::Group(_) => None,
    };
    Ok(rows.into_iter().filter_map(part).collect())
}

/// Where an update is that is still to be done, and the window that is waited for.
type Open = (Enforcement, Option<Timestamp>);

/// The same of each update of a deployment, for computers that are told the same.
#[derive(Debug)]
pub(crate) struct Opens {
    by_update: HashMap<UpdateId, Open>,
    /// All updates wait for this; none if they differ.
    common: Option<Enforcement>,
}

/// A deployment as computers are judged by it.
pub(crate) struct Enforced<'e> {
    index: &'e Index,
    live: &'e Live,
    published: Arc<Published>,
    now: Timestamp,
    action: DeploymentAction,
    parts: HashMap<UpdateId, DeploymentRow>,
    /// By the collections of computers and their own zones.
    known: HashMap<(Vec<CollectionId>, Option<String>), Rc<Opens>>,
}

impl<'e> Enforced<'e> {
    pub(crate) fn new(
        live: &'e Live,
        index: &'e Index,
        action: DeploymentAction,
        parts: &[(UpdateId, DeploymentRow)],
        now: Timestamp,
    ) -> Self {
        let parts = parts.iter().cloned().collect();
        Self { index, live, published: live.current(), now, action, parts, known: HashMap::new() }
    }

    /// The updates.
    pub(crate) fn updates(&self) -> HashSet<UpdateId> {
        self.parts.keys().copied().collect()
    }

    /// Whether collections and zones make a difference.
    fn is_same_everywhere(&self) -> bool {
        let local = self.parts.values().any(|part| part.terms.local_time);
        !Terms::enforces(self.action) || !(local || self.published.hours.has_windows())
    }

    /// What computers in these collections and with this zone of their own wait for.
    fn opens(&mut self, groups: &[CollectionId], zone: Option<&str>) -> Rc<Opens> {
        let kind = (groups.to_vec(), zone.map(str::to_owned));
        if let Some(known) = self.known.get(&kind) {
            return Rc::clone(known);
        }
        let own: Option<Zone> = zone.and_then(|zone| zone.parse().ok());
        let calendar = self.published.calendar(&self.live.directory.group_set(groups), own.as_ref());
        let by_update: HashMap<UpdateId, Open> = self
            .parts
            .iter()
            .map(|(update, part)| {
                let terms = self.terms(part);
                (*update, terms.open(&calendar.resolve(&self.ask(*update, part), self.now), self.now))
            })
            .collect();
        let first = by_update.values().next().map(|(at, _)| *at);
        let common = first.filter(|first| by_update.values().all(|(at, _)| at == first));
        let opens = Rc::new(Opens { by_update, common });
        self.known.insert(kind, Rc::clone(&opens));
        opens
    }

    fn terms(&self, part: &DeploymentRow) -> Terms {
        // what is available and goes out without its action waits for its files
        Terms { action: self.action, enabled: part.enabled, content: part.active }
    }

    fn ask(&self, update: UpdateId, part: &DeploymentRow) -> Ask {
        let slot = self.index.search.slot(update);
        let state = slot.and_then(|slot| self.index.search.state(slot));
        let minutes = state.map_or(RUN_TIME, |state| state.flags.run_time_minutes);
        Ask {
            timing: Timing {
                local_time: part.terms.local_time,
                outside_windows: part.terms.outside_windows,
                hold_until_window: part.terms.hold_until_window,
            },
            action: part.action,
            available: part.available_at,
            deadline: part.deadline_at,
            run_time: SignedDuration::from_mins(i64::from(minutes)),
        }
    }

    /// Where a computer in these collections is with an update in this state.
    pub(crate) fn of_update(
        &mut self,
        (groups, zone): (&[CollectionId], Option<&str>),
        update: UpdateId,
        state: State,
    ) -> Enforcement {
        let opens = self.opens(groups, zone);
        self.at(&opens, update, state).0
    }

    fn at(&self, opens: &Opens, update: UpdateId, state: State) -> Open {
        let Some(part) = self.parts.get(&update) else { return (Enforcement::NotAsked, None) };
        let (open, window) = opens.by_update.get(&update).copied().unwrap_or((Enforcement::PendingInstallation, None));
        let at = self.terms(part).of_update(state, open);
        (at, window.filter(|_| at == Enforcement::WaitingForWindow))
    }

    /// Where a computer is, from its states of the updates that it is asked about, and the first window that it waits for, if it
    /// waits. What is not of the deployment is left out.
    pub(crate) fn computer(
        &mut self,
        (groups, zone): (&[CollectionId], Option<&str>),
        reported: bool,
        states: impl IntoIterator<Item = (UpdateId, State)>,
    ) -> Open {
        let opens = self.opens(groups, zone);
        self.whole(&opens, reported, states)
    }

    fn whole(&self, opens: &Opens, reported: bool, states: impl IntoIterator<Item = (UpdateId, State)>) -> Open {
        let mut window: Option<Timestamp> = None;
        let of_deployment = states.into_iter().filter(|(update, _)| self.parts.contains_key(update));
        let each = of_deployment.map(|(update, state)| {
            let (at, own) = self.at(opens, update, state);
            window = [window, own].into_iter().flatten().min();
            at
        });
        let at = Terms::enforcement(reported, each);
        (at, window.filter(|_| at == Enforcement::WaitingForWindow))
    }

    /// Where each member of a collection is. Zones of their own are only read where they make a difference.
    pub(crate) fn members(
        &mut self,
        tx: &ReadTx<'_>,
        zones: &Zones,
        who: &Who<'_>,
    ) -> Result<Vec<(Standing, Enforcement)>, StoreError> {
        self.members_by(tx, zones, &|view| who.members(view))
    }

    /// The same of those that `of` finds.
    pub(crate) fn members_by(
        &mut self,
        tx: &ReadTx<'_>,
        zones: &Zones,
        of: &dyn Fn(&View<'_>) -> Members,
    ) -> Result<Vec<(Standing, Enforcement)>, StoreError> {
        let zones = if self.is_same_everywhere() { None } else { Some(zones.read(tx)?) };
        let everywhere = self.opens(&[], None);
        let updates = self.updates();
        let live = self.live;
        let view = live.compliance(tx)?;
        let members = of(&view);
        let standings = view.standings_by_set(&members, Some(&updates));
        let mut found = Vec::with_capacity(standings.len());
        // those whose one state does not tell
        let mut open: HashMap<u32, Rc<Opens>> = HashMap::new();
        // most computers share their collections, and few have a zone of their own
        let mut by_set: HashMap<u32, Rc<Opens>> = HashMap::new();
        let removes = self.action == DeploymentAction::Uninstall;
        for (standing, set) in standings {
            let opens = match zones.map(|zones| zones.get(&standing.no)) {
                None => Rc::clone(&everywhere),
                Some(Some(zone)) => self.opens(view.collections(set), Some(zone.as_str())),
                Some(None) => Rc::clone(by_set.entry(set).or_insert_with(|| self.opens(view.collections(set), None))),
            };
            let detailed = removes || (opens.common.is_none() && matters(standing.state));
            if detailed && standing.asked && standing.reported && Terms::enforces(self.action) {
                open.insert(standing.no, opens);
                continue;
            }
            let any = Terms { action: self.action, enabled: true, content: true };
            let common = opens.common.unwrap_or(Enforcement::PendingInstallation);
            found.push((standing, any.enforcement_of(&standing, common)));
        }
        if open.is_empty() {
            return Ok(found);
        }
        let this = &*self;
        let published = view.published();
        view.states_of(&members, &updates, open.keys().copied(), |standing, states| {
            let Some(opens) = open.get(&standing.no) else { return };
            let named = states.iter().filter_map(|(number, state)| Some((published.update_of(*number)?, *state)));
            found.push((standing, this.whole(opens, standing.reported, named).0));
        });
        Ok(found)
    }
}

/// Whether it matters to a computer with this worst state what each update waits for.
fn matters(state: State) -> bool {
    matches!(state, State::Required | State::Downloaded)
}

/// The zones of computers that have one of their own, by row number, read when they are asked for.
#[derive(Default)]
pub(crate) struct Zones(OnceCell<HashMap<u32, String>>);

impl Zones {
    fn read(&self, tx: &ReadTx<'_>) -> Result<&HashMap<u32, String>, StoreError> {
        if let Some(zones) = self.0.get() {
            return Ok(zones);
        }
        let zones = tx.computer_time_zones()?.into_iter().collect();
        Ok(self.0.get_or_init(|| zones))
    }
}

/// Of deployments, with how many of their computers nothing is left to be done, and how many there are. None of one that nobody is
/// asked about, or that enforces nothing: there is nothing to fall short of.
pub(crate) fn shares(
    tx: &ReadTx<'_>,
    live: &Live,
    index: &Index,
    deployments: &[DeploymentRow],
) -> Result<Vec<Option<(u64, u64)>>, StoreError> {
    use weir_model::compliance::deployment::DeploymentStatus::Compliant;
    let (tree, zones, now) = (Tree::read(tx)?, Zones::default(), Timestamp::now());
    let share = |row: &DeploymentRow| -> Result<Option<(u64, u64)>, StoreError> {
        if !Terms::enforces(row.action) {
            return Ok(None);
        }
        let mut enforced = Enforced::new(live, index, row.action, &parts(tx, row)?, now);
        let each = enforced.members(tx, &zones, &Who::of(&tree, row.collection, None))?;
        let is_asked = each.iter().any(|(standing, _)| standing.asked);
        let done = each.iter().filter(|(_, at)| at.status() == Compliant).count() as u64;
        Ok(is_asked.then_some((done, each.len() as u64)))
    };
    deployments.iter().map(share).collect()
}
