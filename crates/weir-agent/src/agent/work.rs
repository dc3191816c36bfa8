//! What the server wants done with one update, and doing it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, UpdateIdentity};
use weir_wire::wusp::Action;

use super::RoundOptions;
use crate::{
    assess::{Assessment, Standing},
    computer::{Computer, Installable, Installed, LocalFile},
    deploy::{Due, Rules, due, restart_at},
    details::NeededFile,
    download::{Download, Fetched, FileProblem},
    events::Happened,
    library::Update,
    state::{Condition, Entry, State},
    world::World,
};

/// What the server wants done with one update here.
#[derive(Clone, Debug)]
pub struct Work {
    /// RevisionID.
    pub id: i32,
    /// Which revision.
    pub identity: UpdateIdentity,
    /// Its title; empty if nobody told.
    pub title: String,
    /// Install, OptionalInstall or Uninstall.
    pub action: Action,
    /// Until when.
    pub deadline: Option<Timestamp>,
    /// When it is carried out.
    pub due: Due,
    /// Whether it is an update of the servicing stack.
    pub servicing_stack: bool,
    /// How downloading went: bytes that were received, or what is wrong with some file; none if it was not tried.
    pub download: Option<Result<u64, FileProblem>>,
    /// How installing or removing went; none if it was not tried.
    pub installed: Option<Installed>,
}

/// What the server wants done on this computer.
pub(super) fn wanted(state: &State, now: Timestamp, rules: &Rules) -> Vec<Work> {
    let assessment = Assessment::new(&state.cache);
    let offered = assessment.offered();
    let entries = offered.iter().filter_map(|at| state.cache.entries().get(*at));
    let waits = |entry: &&Entry| state.condition(entry.identity().update_id) == Some(Condition::PendingRestart);
    entries
        .filter(|entry| !waits(entry))
        .map(|entry| {
            let details = entry.update.details();
            Work {
                id: entry.id,
                identity: entry.identity(),
                title: details.map(|details| details.title.clone()).unwrap_or_default(),
                action: entry.deployed.action,
                deadline: entry.deployed.deadline,
                due: due(&entry.deployed, now, rules),
                servicing_stack: details.is_some_and(|details| details.is_servicing_stack()),
                download: None,
                installed: None,
            }
        })
        .collect()
}

/// Forgets what happened to updates that are installed now, or that the server took back.
pub(super) fn forget_old_conditions(state: &mut State) {
    let assessment = Assessment::new(&state.cache);
    let stays = |(update, condition): &(weir_model::ids::UpdateId, Condition)| match assessment.position(*update) {
        None => false,
        Some(_) if *condition == Condition::PendingRestart => true,
        Some(at) => assessment.standing(at) != Standing::Installed,
    };
    let kept: Vec<_> = state.conditions.iter().copied().filter(stays).collect();
    state.conditions = kept;
}

impl Work {
    fn parts<'s>(&self, state: &'s State) -> (Option<&'s Entry>, Vec<&'s Update>) {
        let assessment = Assessment::new(&state.cache);
        let Some(at) = state.cache.position(self.id) else { return (None, Vec::new()) };
        let members = assessment.members(at);
        let entry = |at: usize| state.cache.entries().get(at);
        (entry(at), members.into_iter().filter_map(entry).map(|entry| &*entry.update).collect())
    }

    /// The files of the update and its members.
    pub(super) fn files(&self, state: &State) -> Vec<NeededFile> {
        let (entry, members) = self.parts(state);
        let own = entry.map(|entry| &*entry.update);
        let details = own.into_iter().chain(members).filter_map(Update::details);
        details.flat_map(|details| details.files.iter().cloned()).collect()
    }

    /// Whether its files are to be fetched: it is to be installed, and not only offered, and they are not here, or no longer.
    /// Files of required deployments are fetched before the deadline (features 18.1).
    pub(super) fn wants_download(&self, state: &State, download: &Download) -> bool {
        if self.action == Action::Uninstall || self.due == Due::Offered || self.lacks_details(state) {
            return false;
        }
        let known = state.condition(self.identity.update_id) == Some(Condition::Downloaded);
        let gone = |file: &NeededFile| download.keep.path(file).is_some_and(|path| !path.is_file());
        !known || self.files(state).iter().any(gone)
    }

    /// Takes how its files came.
    pub(super) fn downloaded(
        &mut self,
        state: &mut State,
        world: &dyn World,
        results: &BTreeMap<ContentDigest, Result<Fetched, FileProblem>>,
    ) {
        let files = self.files(state);
        let bundle = self.is_bundle(state);
        let mut bytes = 0;
        let mut problem = None;
        for file in &files {
            match results.get(&file.digest) {
                Some(Ok(fetched)) => bytes += fetched.received,
                Some(Err(error)) => problem = Some(error.clone()),
                None => problem = Some(FileProblem::NoLocation(file.name.clone())),
            }
        }
        state.queue(world, self.identity, &self.title, bundle, Happened::DownloadStarted);
        let update = self.identity.update_id;
        if let Some(problem) = problem {
            state.queue(world, self.identity, &self.title, bundle, Happened::DownloadFailed(problem.code()));
            self.download = Some(Err(problem));
        } else {
            state.queue(world, self.identity, &self.title, bundle, Happened::Downloaded);
            // a failure stays known until the next attempt to install
            if !matches!(state.condition(update), Some(Condition::Failed(_))) {
                state.set_condition(update, Some(Condition::Downloaded));
            }
            self.download = Some(Ok(bytes));
        }
    }

    fn is_bundle(&self, state: &State) -> bool {
        let entry = state.cache.position(self.id).and_then(|at| state.cache.entries().get(at));
        entry.is_some_and(|entry| !entry.update.core().relationships.bundled.is_empty())
    }

    /// Whether the server did not tell of the update or a member: its files are not known.
    fn lacks_details(&self, state: &State) -> bool {
        let (entry, members) = self.parts(state);
        entry.map(|entry| &*entry.update).into_iter().chain(members).any(|update| update.details().is_none())
    }

    /// Installs or removes it if it is due and its files are here.
    pub(super) fn carry_out<C: Computer + ?Sized>(
        &mut self,
        state: &mut State,
        computer: &mut C,
        world: &dyn World,
        options: &RoundOptions,
    ) {
        let removal = self.action == Action::Uninstall;
        if self.due != Due::Now || !self.still_wanted(state, removal) || (!removal && self.lacks_details(state)) {
            return;
        }
        let files = self.files(state);
        let update = self.identity.update_id;
        let downloaded = matches!(self.download, Some(Ok(_))) || state.condition(update) == Some(Condition::Downloaded);
        let here = removal || files.is_empty() || downloaded;
        if !here {
            return;
        }
        let paths: Vec<_> =
            files.iter().map(|file| options.download.as_ref().and_then(|download| download.keep.path(file))).collect();
        let local: Vec<_> = files
            .iter()
            .zip(&paths)
            .map(|(file, path)| LocalFile { name: &file.name, size: file.size, path: path.as_deref() })
            .collect();
        let (Some(entry), members) = self.parts(state) else { return };
        let deployed = std::sync::Arc::clone(&entry.deployed);
        let title = Some(self.title.as_str()).filter(|title| !title.is_empty());
        let installable = Installable { update: &entry.update, members: &members, title, files: &local };
        let result = if removal { computer.uninstall(&installable) } else { computer.install(&installable) };
        let bundle = !members.is_empty();
        self.installed = Some(result);
        let mut say = |what| state.queue(world, self.identity, &self.title, bundle, what);
        if result != Installed::Cannot {
            say(if removal { Happened::RemovalStarted } else { Happened::InstallStarted });
        }
        match (result, removal) {
            (Installed::Cannot, _) => {}
            (Installed::Done, false) => {
                say(Happened::Installed);
                state.set_condition(update, None);
            }
            (Installed::Done, true) => {
                say(Happened::Removed);
                state.set_condition(update, None);
            }
            (Installed::AfterRestart, _) => {
                say(if removal { Happened::RemovedPendingRestart } else { Happened::InstalledPendingRestart });
                state.set_condition(update, Some(Condition::PendingRestart));
                let at = restart_at(&deployed, world.now(), &options.rules);
                state.restart_at = [state.restart_at, at].into_iter().flatten().min();
            }
            (Installed::Failed(code), false) => {
                say(Happened::InstallFailed(code));
                state.set_condition(update, Some(Condition::Failed(code)));
            }
            (Installed::Failed(code), true) => say(Happened::RemovalFailed(code)),
        }
    }

    /// Whether it is wanted after what was installed before it in this round.
    fn still_wanted(&self, state: &State, removal: bool) -> bool {
        let Some(at) = state.cache.position(self.id) else { return false };
        let wanted = if removal { Standing::Installed } else { Standing::Required };
        Assessment::new(&state.cache).standing(at) == wanted
    }
}
