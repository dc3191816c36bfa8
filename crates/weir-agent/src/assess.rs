//! What a computer needs: the verdicts of rules put together with prerequisites, bundles and supersedence. Pure.

use std::cell::RefCell;

use weir_model::ids::{UpdateId, UpdateIdentity};
use weir_wire::wusp::Action;

use crate::{
    library::Holds,
    state::{Cache, Entry},
};

/// How deep bundles and prerequisites are followed; genuine bundles have three levels, chains of prerequisites seven.
const DEPTH: u8 = 64;

/// Where an update stands on a computer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// It is there.
    Installed,
    /// The computer does not need it.
    NotApplicable,
    /// It applies and is not installed.
    Required,
    /// What its rules ask is not known.
    Unknown,
}

/// The cache of one computer, assessed.
#[derive(Debug)]
pub struct Assessment<'c> {
    cache: &'c Cache,
    known: RefCell<Vec<Option<Standing>>>,
}

impl<'c> Assessment<'c> {
    /// Of a cache whose entries are evaluated.
    pub fn new(cache: &'c Cache) -> Self {
        Self { cache, known: RefCell::new(vec![None; cache.len()]) }
    }

    /// Where an update is, its highest revision.
    pub fn position(&self, update: UpdateId) -> Option<usize> {
        self.cache.update(update)
    }

    /// Whether the entry at a position is installed: by its rule or, of a bundle without one, by its members.
    pub fn installed(&self, at: usize) -> Holds {
        match self.standing(at) {
            Standing::Installed => Holds::Yes,
            Standing::Unknown => Holds::Unknown,
            Standing::NotApplicable | Standing::Required => Holds::No,
        }
    }

    /// Where the entry at a position stands.
    ///
    /// An update is installed if its IsInstalled rule holds; one that has no such rule and is no bundle is not known, except
    /// drivers, which the server compared with what is there. Else it is required if its prerequisites are installed and its
    /// IsInstallable rule holds or it has none. A bundle is what its clauses are together: not applicable if one clause has
    /// no member that applies, else unknown if one is not known, installed if each has an installed member, and required
    /// otherwise; rules of its own count on top.
    pub fn standing(&self, at: usize) -> Standing {
        self.stand(at, DEPTH)
    }

    /// The members of a bundle that are or would be installed: of each clause the first installed or else the first required
    /// one, bundles in it resolved; empty if it is no bundle. Parts of it may be missing if the bundle does not apply.
    pub fn members(&self, at: usize) -> Vec<usize> {
        let mut members = Vec::new();
        self.collect(at, DEPTH, &mut members);
        members.retain(|member| *member != at);
        members
    }

    /// Positions of what the server wants installed, offered or removed and what can be: required with action Install or
    /// OptionalInstall, installed with action Uninstall. Without what is replaced by something that is installed or will be.
    pub fn offered(&self) -> Vec<usize> {
        let wanted: Vec<usize> = self
            .visible()
            .filter(|(at, entry)| match entry.deployed.action {
                Action::Install | Action::OptionalInstall => self.standing(*at) == Standing::Required,
                Action::Uninstall => self.standing(*at) == Standing::Installed,
                _ => false,
            })
            .map(|(at, _)| at)
            .collect();
        let replaced = self.replaced(&wanted);
        wanted.into_iter().filter(|at| !replaced.contains(at) || self.is_removal(*at)).collect()
    }

    /// Positions that are superseded by something that is installed or is among `wanted` to be installed.
    fn replaced(&self, wanted: &[usize]) -> Vec<usize> {
        let mut replaced = Vec::new();
        for (at, entry) in self.visible() {
            let superseded = &entry.update.core().relationships.superseded;
            if superseded.is_empty() {
                continue;
            }
            let comes = wanted.binary_search(&at).is_ok()
                && matches!(entry.deployed.action, Action::Install)
                && entry.deployed.is_assigned;
            if comes || self.standing(at) == Standing::Installed {
                replaced.extend(superseded.iter().filter_map(|update| self.position(*update)));
            }
        }
        replaced
    }

    fn is_removal(&self, at: usize) -> bool {
        self.entry(at).is_some_and(|entry| entry.deployed.action == Action::Uninstall)
    }

    /// Entries inside the filter of the last scan.
    fn visible(&self) -> impl Iterator<Item = (usize, &'c Entry)> {
        self.cache.iter().enumerate().filter(|(_, (_, own))| !own.hidden).map(|(at, (entry, _))| (at, entry))
    }

    fn entry(&self, at: usize) -> Option<&'c Entry> {
        self.cache.entries().get(at)
    }

    fn exact(&self, identity: UpdateIdentity) -> Option<usize> {
        let at = self.position(identity.update_id)?;
        self.entry(at).filter(|entry| entry.identity() == identity)?;
        Some(at)
    }

    fn stand(&self, at: usize, depth: u8) -> Standing {
        if let Some(known) = self.known.borrow().get(at).copied().flatten() {
            return known;
        }
        let (Some(entry), Some(own)) = (self.entry(at), self.cache.own().get(at)) else { return Standing::Unknown };
        let Some(deeper) = depth.checked_sub(1) else { return Standing::Unknown };
        // what contains or needs itself is not known
        self.remember(at, Standing::Unknown);
        let bundle = !entry.update.core().relationships.bundled.is_empty();
        let standing = match own.verdict.installed {
            Some(Holds::Yes) => Standing::Installed,
            Some(Holds::Unknown) => Standing::Unknown,
            None if !bundle && !entry.is_driver() => Standing::Unknown,
            rule => {
                let members = if bundle { self.bundle(entry, deeper) } else { Standing::Required };
                if rule.is_none() && members == Standing::Installed {
                    Standing::Installed
                } else {
                    let prerequisites = self.prerequisites(entry, deeper);
                    together(&[prerequisites, installable(own.verdict.installable), members])
                }
            }
        };
        self.remember(at, standing);
        standing
    }

    fn remember(&self, at: usize, standing: Standing) {
        if let Some(place) = self.known.borrow_mut().get_mut(at) {
            *place = Some(standing);
        }
    }

    /// Whether the prerequisites hold now. The server checked them with what it knew; since then an installation may have
    /// changed them. Of a clause of which nothing is in the cache its word stands.
    fn prerequisites(&self, entry: &Entry, depth: u8) -> Standing {
        let mut all = Standing::Required;
        for clause in &entry.update.core().relationships.prerequisites {
            let mut best = None;
            for at in clause.alternatives.iter().filter_map(|update| self.position(*update)) {
                let standing = self.stand(at, depth);
                best = Some(match (best, standing) {
                    (_, Standing::Installed) | (Some(Standing::Installed), _) => Standing::Installed,
                    (_, Standing::Unknown) | (Some(Standing::Unknown), _) => Standing::Unknown,
                    _ => Standing::NotApplicable,
                });
            }
            match best {
                Some(Standing::NotApplicable) => return Standing::NotApplicable,
                Some(Standing::Unknown) => all = Standing::Unknown,
                _ => {}
            }
        }
        all
    }

    fn bundle(&self, entry: &Entry, depth: u8) -> Standing {
        let clauses = entry.update.core().relationships.bundled.iter();
        let standings: Vec<Standing> = clauses
            .map(|clause| {
                let members = clause.alternatives.iter().map(|member| {
                    // a member that the server did not deliver does not apply here: it checks prerequisites
                    self.exact(*member).map_or(Standing::NotApplicable, |at| self.stand(at, depth))
                });
                members.min_by_key(|standing| match standing {
                    Standing::Installed => 0,
                    Standing::Required => 1,
                    Standing::Unknown => 2,
                    Standing::NotApplicable => 3,
                })
            })
            .map(|best| best.unwrap_or(Standing::NotApplicable))
            .collect();
        let all = standings.iter().all(|standing| *standing == Standing::Installed);
        if all { Standing::Installed } else { together(&standings) }
    }

    fn collect(&self, at: usize, depth: u8, members: &mut Vec<usize>) {
        let (Some(entry), Some(depth)) = (self.entry(at), depth.checked_sub(1)) else { return };
        for clause in &entry.update.core().relationships.bundled {
            let here = || clause.alternatives.iter().filter_map(|member| self.exact(*member));
            let chosen = here()
                .find(|member| self.standing(*member) == Standing::Installed)
                .or_else(|| here().find(|member| self.standing(*member) == Standing::Required));
            let Some(chosen) = chosen.filter(|chosen| !members.contains(chosen)) else { continue };
            let before = members.len();
            self.collect(chosen, depth, members);
            if members.len() == before {
                members.push(chosen);
            }
        }
    }

    /// Counts the reported updates by where they stand.
    pub fn counts(&self) -> [(Standing, usize); 4] {
        let mut counts =
            [Standing::Installed, Standing::Required, Standing::NotApplicable, Standing::Unknown].map(|kind| (kind, 0));
        for (at, _) in self.visible().filter(|(_, entry)| entry.is_reported()) {
            let standing = self.standing(at);
            if let Some((_, count)) = counts.iter_mut().find(|(kind, _)| *kind == standing) {
                *count += 1;
            }
        }
        counts
    }
}

/// What several conditions of an update that is not installed are together.
fn together(parts: &[Standing]) -> Standing {
    if parts.contains(&Standing::NotApplicable) {
        Standing::NotApplicable
    } else if parts.contains(&Standing::Unknown) {
        Standing::Unknown
    } else {
        Standing::Required
    }
}

/// What an IsInstallable rule allows; an update without one can be installed.
fn installable(rule: Option<Holds>) -> Standing {
    match rule {
        Some(Holds::Yes) | None => Standing::Required,
        Some(Holds::No) => Standing::NotApplicable,
        Some(Holds::Unknown) => Standing::Unknown,
    }
}
