//! What a deployment would do, before it is made.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use weir_api::{
    deployment::DeploymentCreate,
    simulation::{SimulatedAnswer, SimulatedBranch, SimulatedComputer, SimulatedReason, SimulatedRival, Simulation},
};
use weir_model::{
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionNumber, UpdateId},
    rights::Scope,
    status::UpdateNumber,
    targeting::{Deployment, DeploymentAction, Planned, Timing, Told, Tree as Branches, ruling, simulate as decide},
    window::{Ask, Calendar, Reason},
};
use weir_store::{ReadTx, StoreError};

use super::{
    Describer, api_action,
    create::{Around, NewDeploymentSpec, What, check_size, members, needed, resolve},
    parts::deployable,
};
use crate::{
    admin::{AdminError, App, collection::Tree, content},
    live::{GroupSet, Live},
};

/// Branches and computers that an answer names.
const BRANCHES: usize = 50;
const SAMPLE: usize = 20;
/// The maximum run time of an update that has none yet, as the database has it.
const DEFAULT_MINUTES: u32 = 60;
/// The number of the deployment that is not there.
const NEW: DeploymentId = DeploymentId(0);

/// Computers that are in the same collections.
struct Set {
    groups: Arc<GroupSet>,
    computers: u64,
    /// The first of them.
    first: Vec<u32>,
}

/// What would be offered to whom, what it costs, and what stands against it. Nothing is made.
pub(crate) async fn simulate(app: &App, new: DeploymentCreate) -> Result<Simulation, AdminError> {
    let around = Around::of(app);
    app.try_read(move |tx| {
        let now = Timestamp::now();
        let spec = resolve(tx, &Scope::Everything, &new, now)?;
        Work::new(tx, &around, &spec, now)?.run()
    })
    .await
}

struct Work<'t> {
    tx: &'t ReadTx<'t>,
    around: &'t Around,
    spec: &'t NewDeploymentSpec,
    now: Timestamp,
    tree: Tree,
    branches: Branches,
    /// The updates, and why one is not sent.
    updates: Vec<(UpdateId, Option<String>)>,
    /// All deployments of these, by update, with what tells alike ones apart.
    existing: HashMap<UpdateId, Vec<(Deployment, Timestamp, DeploymentId)>>,
    sets: Vec<Set>,
    /// Maximum run times.
    run_minutes: HashMap<UpdateId, u32>,
}

/// Updates with the same deployments: what is decided of one is decided of all.
struct Class {
    updates: Vec<UpdateId>,
    not_sent: Option<String>,
}

impl<'t> Work<'t> {
    fn new(
        tx: &'t ReadTx<'t>,
        around: &'t Around,
        spec: &'t NewDeploymentSpec,
        now: Timestamp,
    ) -> Result<Self, AdminError> {
        let describer = Describer::new(tx, &around.live)?;
        let ids: Vec<UpdateId> = match spec.what {
            What::Update(name) => {
                deployable(tx, name)?;
                vec![name.id]
            }
            What::Group(group) => {
                let members = members(tx, group)?;
                let name = tx.update_group_row(group)?.map(|row| row.name).unwrap_or_default();
                check_size(&name, members.len())?;
                members.into_iter().map(|member| member.update).collect()
            }
        };
        let updates =
            ids.into_iter().map(|id| Ok((id, describer.not_sent(tx, id)?))).collect::<Result<Vec<_>, StoreError>>()?;
        let targeting = tx.catalogue_targeting()?;
        let wanted: BTreeSet<UpdateId> = updates.iter().map(|(id, _)| *id).collect();
        let mut existing: HashMap<UpdateId, Vec<(Deployment, Timestamp, DeploymentId)>> = HashMap::new();
        for deployment in targeting.deployments.into_iter().filter(|it| wanted.contains(&it.update_id)) {
            let Some(row) = tx.deployment_show(deployment.id)? else { continue };
            let origin = row.expanded_from.unwrap_or(deployment.id);
            existing.entry(deployment.update_id).or_default().push((deployment, row.available_at, origin));
        }
        let run_minutes = updates.iter().map(|(id, _)| Ok((*id, tx.update_setting(*id)?.run_time_minutes)));
        let run_minutes = run_minutes.collect::<Result<_, StoreError>>()?;
        let tree = Tree::read(tx)?;
        let sets = sets(tx, &around.live)?;
        Ok(Self {
            tx,
            around,
            spec,
            now,
            branches: Branches::new(&targeting.collections),
            tree,
            updates,
            existing,
            sets,
            run_minutes,
        })
    }

    fn run(self) -> Result<Simulation, AdminError> {
        let reached: Vec<&Set> = self.sets.iter().filter(|set| self.is_for(set.groups.collections())).collect();
        let mut answers: BTreeMap<(Told, String, bool), (u64, u64)> = BTreeMap::new();
        let mut rivals: BTreeMap<DeploymentId, (Deployment, u64)> = BTreeMap::new();
        let mut changes: HashMap<usize, u64> = HashMap::new();
        // in the zone of the collections: computers with a zone of their own have the same windows at other instants
        let published = self.around.live.current();
        let calendars: Vec<Calendar> = reached.iter().map(|set| published.calendar(&set.groups, None)).collect();
        let mut never = 0;
        for class in self.classes() {
            let Some(first) = class.updates.first() else { continue };
            let new = self.candidate(*first);
            let existing = self.planned(*first);
            let planned = Planned { deployment: &new, available_at: self.spec.available_at };
            let many = class.updates.len() as u64;
            for ((at, set), calendar) in reached.iter().enumerate().zip(&calendars) {
                let outcome = decide(&self.branches, set.groups.collections(), &existing, &planned, self.now);
                let is_new = outcome.winner.is_some_and(|won| won.id == NEW);
                let changed = outcome.is_changed() && class.not_sent.is_none();
                let (after, timed) = self.in_windows(calendar, outcome.winner, outcome.after);
                let reason = match timed {
                    Some(reason) if class.not_sent.is_none() => reason.describe().to_owned(),
                    _ => self.reason(&class, &after, outcome.winner),
                };
                if timed == Some(Reason::Never) {
                    never += set.computers * many;
                }
                let count = answers.entry((after, reason, is_new)).or_default();
                count.0 += set.computers * many;
                if changed {
                    count.1 += set.computers * many;
                    *changes.entry(at).or_default() += many;
                }
                if let Some(won) = outcome.winner.filter(|won| won.id != NEW) {
                    let origin = self.origin(won);
                    rivals.entry(origin).or_insert_with(|| (won.clone(), 0)).1 += set.computers * many;
                }
            }
        }
        let policy = crate::content::policy(self.tx)?;
        let mut sizes: HashMap<UpdateId, u64> = HashMap::new();
        if matches!(self.spec.action, DeploymentAction::Install | DeploymentAction::Optional) {
            for (update, _) in &self.updates {
                let files = self.tx.deployment_files(*update, self.revision(), &policy)?;
                sizes.insert(*update, files.iter().filter(|file| file.counts()).map(|file| file.size).sum());
            }
        }
        let (needing, bytes) = self.needing(&reached, &sizes)?;
        let preview = content::of_files(self.tx, &self.around.files, &needed(self.tx, self.spec)?)?;
        let mut not_sent: BTreeMap<&str, u64> = BTreeMap::new();
        for reason in self.updates.iter().filter_map(|(_, reason)| reason.as_deref()) {
            *not_sent.entry(reason).or_default() += 1;
        }
        let mut warnings = Vec::new();
        warnings.extend(preview.room.problem.clone().map(|problem| format!("it waits for room: {problem}")));
        if self.updates.is_empty() {
            warnings.push("the group is empty: what is added to it is deployed".to_owned());
        }
        if never > 0 {
            warnings.push(format!(
                "in {never} cases no maintenance window is ever long enough for the update's maximum run time: it stays at \
                 detection there. Make a longer window, or lower the run time: weir updates set ID --run-time MINUTES"
            ));
        }
        if reached.is_empty() {
            warnings.push("no computer is in the collection".to_owned());
        }
        Ok(Simulation {
            updates: self.updates.len() as u64,
            not_sent: not_sent
                .into_iter()
                .map(|(reason, updates)| SimulatedReason { reason: reason.to_owned(), updates })
                .collect(),
            computers: reached.iter().map(|set| set.computers).sum(),
            sets: self.sets.len() as u64,
            changes: changes.keys().filter_map(|at| reached.get(*at)).map(|set| set.computers).sum(),
            answers: told(answers),
            overruled_by: self.rivals(rivals),
            branches: self.branches_of(&reached),
            sample: self.sample(&reached, &changes)?,
            room: preview.room,
            needing,
            bytes_for_computers: bytes,
            warnings,
        })
    }

    /// Whether a deployment to the collection lies on a branch of computers in these.
    fn is_for(&self, groups: &[CollectionId]) -> bool {
        self.branches.branches(groups).iter().flatten().any(|collection| *collection == self.spec.collection)
    }

    /// What windows and zones make of an answer, and why, if they matter to it.
    fn in_windows(&self, calendar: &Calendar, won: Option<&Deployment>, told: Told) -> (Told, Option<Reason>) {
        let Some(won) = won else { return (told, None) };
        let ask = Ask {
            timing: won.timing,
            action: won.action,
            available: won.available,
            deadline: won.deadline,
            run_time: SignedDuration::from_mins(i64::from(won.run_minutes)),
        };
        if !ask.is_timed(calendar.is_open()) {
            return (told, None);
        }
        let available = if won.timing.local_time { calendar.wall_clock(won.available) } else { won.available };
        let resolved = calendar.resolve(&ask, available.max(self.now));
        let from = Some(available).filter(|at| *at > self.now);
        let told = match resolved.reason {
            Reason::Never => Told { action: DeploymentAction::Detect, from: None, deadline: None },
            Reason::Held => Told { from: resolved.next_change.or(from), deadline: resolved.deadline, ..told },
            _ => Told { from, deadline: resolved.deadline, ..told },
        };
        // of what waits for its content, or is the plain answer, the usual words say more
        let says = matches!(resolved.reason, Reason::Window | Reason::Held | Reason::Never | Reason::OutsideWindows);
        (told, says.then_some(resolved.reason))
    }

    fn revision(&self) -> Option<RevisionNumber> {
        match self.spec.what {
            What::Update(name) => name.revision,
            What::Group(_) => None,
        }
    }

    /// The deployment as if it were the last change of all.
    fn candidate(&self, update_id: UpdateId) -> Deployment {
        Deployment {
            id: NEW,
            update_id,
            revision: self.revision(),
            collection: self.spec.collection,
            action: self.spec.action,
            active: self.spec.available_at <= self.now,
            available: self.spec.available_at,
            deadline: self.spec.deadline_at,
            timing: Timing {
                local_time: self.spec.terms.local_time,
                outside_windows: self.spec.terms.outside_windows,
                hold_until_window: self.spec.terms.hold_until_window,
            },
            run_minutes: self.run_minutes.get(&update_id).copied().unwrap_or(DEFAULT_MINUTES),
            changed: ChangeNumber(u64::MAX),
            changed_at: self.now,
        }
    }

    fn planned(&self, update: UpdateId) -> Vec<Planned<'_>> {
        let of = self.existing.get(&update).map(Vec::as_slice).unwrap_or_default();
        of.iter().map(|(deployment, available_at, _)| Planned { deployment, available_at: *available_at }).collect()
    }

    /// The deployment that people know: of a group, the group's.
    fn origin(&self, won: &Deployment) -> DeploymentId {
        let of = self.existing.get(&won.update_id).map(Vec::as_slice).unwrap_or_default();
        of.iter().find(|(deployment, ..)| deployment.id == won.id).map_or(won.id, |(.., origin)| *origin)
    }

    /// Updates by what is deployed of them already.
    fn classes(&self) -> Vec<Class> {
        let mut classes: HashMap<String, Class> = HashMap::new();
        for (update, not_sent) in &self.updates {
            let of = self.existing.get(update).map(Vec::as_slice).unwrap_or_default();
            let alike: Vec<_> = of
                .iter()
                .map(|(it, available, origin)| {
                    (it.collection, it.action, it.active, it.deadline, *available, *origin, it.revision)
                })
                .collect();
            let key = format!("{alike:?} {not_sent:?} {:?}", self.run_minutes.get(update));
            let class = classes.entry(key).or_insert_with(|| Class { updates: Vec::new(), not_sent: not_sent.clone() });
            class.updates.push(*update);
        }
        classes.into_values().collect()
    }

    fn reason(&self, class: &Class, told: &Told, winner: Option<&Deployment>) -> String {
        let Some(winner) = winner else { return "nothing is deployed".to_owned() };
        if let Some(reason) = &class.not_sent {
            return reason.clone();
        }
        match winner.action {
            DeploymentAction::Block => return "blocked".to_owned(),
            DeploymentAction::Detect => return "reported only".to_owned(),
            DeploymentAction::Install | DeploymentAction::Optional | DeploymentAction::Uninstall => {}
        }
        match told.from {
            Some(_) if self.spec.terms.local_time && winner.id == NEW => {
                "waits for its available time, in each computer's zone".to_owned()
            }
            Some(_) => "waits for its available time".to_owned(),
            None if winner.id == NEW => "as soon as its content is here".to_owned(),
            None if winner.active => "active".to_owned(),
            None => "waits for content".to_owned(),
        }
    }

    fn rivals(&self, rivals: BTreeMap<DeploymentId, (Deployment, u64)>) -> Vec<SimulatedRival> {
        let mut rivals: Vec<SimulatedRival> = rivals
            .into_iter()
            .map(|(id, (won, answers))| SimulatedRival {
                deployment: id.0,
                action: api_action(won.action),
                collection: self.tree.reference(won.collection),
                answers,
            })
            .collect();
        rivals.sort_by_key(|it| std::cmp::Reverse(it.answers));
        rivals
    }

    /// How it is decided for the first update.
    fn branches_of(&self, reached: &[&Set]) -> Vec<SimulatedBranch> {
        let Some((update, _)) = self.updates.first() else { return Vec::new() };
        let (new, existing) = (self.candidate(*update), self.planned(*update));
        let planned = Planned { deployment: &new, available_at: self.spec.available_at };
        let mut sets: Vec<&&Set> = reached.iter().collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.computers));
        let describe = |set: &&Set| {
            let groups = set.groups.collections();
            let ruling = ruling(&self.branches, groups, &existing, &planned, self.now);
            let why = ruling.describe(|id| self.tree.name(id));
            SimulatedBranch {
                collections: groups.iter().map(|id| self.tree.reference(*id)).collect(),
                computers: set.computers,
                new: ruling.winner.is_some_and(|won| won.id == NEW),
                why: why.replace(&format!("deployment {NEW} ("), "the new deployment ("),
            }
        };
        sets.into_iter().take(BRANCHES).map(describe).collect()
    }

    fn sample(&self, reached: &[&Set], changes: &HashMap<usize, u64>) -> Result<Vec<SimulatedComputer>, StoreError> {
        let mut named = Vec::new();
        let changed = reached.iter().enumerate().filter_map(|(at, set)| Some((set, *changes.get(&at)?)));
        for (number, changes) in changed.flat_map(|(set, changes)| set.first.iter().map(move |no| (*no, changes))) {
            if named.len() == SAMPLE {
                break;
            }
            if let Some(row) = self.tx.computer_show(number)? {
                named.push(SimulatedComputer { id: row.id.to_string(), name: row.dns_name, changes });
            }
        }
        Ok(named)
    }

    /// Computers that need some of the updates, and what these would fetch at most.
    fn needing(&self, reached: &[&Set], sizes: &HashMap<UpdateId, u64>) -> Result<(u64, u64), StoreError> {
        let wanted: HashSet<UpdateId> =
            self.updates.iter().filter(|(_, not_sent)| not_sent.is_none()).map(|(id, _)| *id).collect();
        let reached: HashSet<&[CollectionId]> = reached.iter().map(|set| set.groups.collections()).collect();
        let (mut needing, mut bytes) = (0, 0_u64);
        let view = self.around.live.compliance(self.tx)?;
        let published = view.published();
        let sizes: HashMap<UpdateNumber, u64> =
            sizes.iter().filter_map(|(update, size)| Some((published.status_number(*update)?, *size))).collect();
        let members = view.members(None, &|groups| reached.contains(groups));
        view.survey(&members, Some(&wanted), &mut |computer| {
            needing += u64::from(computer.counts.needed() > 0);
            for (update, _) in computer.listed().filter(|(_, state)| state.is_needed()) {
                bytes = bytes.saturating_add(sizes.get(&update).copied().unwrap_or_default());
            }
        });
        Ok((needing, bytes))
    }
}

/// Computers by the collections that they are in.
fn sets(tx: &ReadTx<'_>, live: &Live) -> Result<Vec<Set>, StoreError> {
    let mut numbers: HashMap<u32, (Vec<CollectionId>, Vec<u32>)> = HashMap::new();
    {
        let view = live.compliance(tx)?;
        let everybody = view.members(None, &|_| true);
        view.survey(&everybody, Some(&HashSet::new()), &mut |computer| {
            let set = numbers.entry(computer.set).or_insert_with(|| (computer.collections.to_vec(), Vec::new()));
            set.1.push(computer.no);
        });
    }
    let set = |(groups, mut numbers): (Vec<CollectionId>, Vec<u32>)| {
        let computers = numbers.len() as u64;
        numbers.sort_unstable();
        numbers.truncate(SAMPLE);
        Set { groups: live.directory.group_set(&groups), computers, first: numbers }
    };
    let mut sets: Vec<Set> = numbers.into_values().map(set).collect();
    sets.sort_by_key(|set| set.first.first().copied());
    Ok(sets)
}

fn told(answers: BTreeMap<(Told, String, bool), (u64, u64)>) -> Vec<SimulatedAnswer> {
    let mut answers: Vec<SimulatedAnswer> = answers
        .into_iter()
        .map(|((told, reason, new), (answers, changed))| SimulatedAnswer {
            action: api_action(told.action),
            from: told.from,
            deadline: told.deadline,
            reason,
            new,
            answers,
            changed,
        })
        .collect();
    answers.sort_by_key(|it| std::cmp::Reverse(it.answers));
    answers
}
