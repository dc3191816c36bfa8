//! Updates as servers deliver them, read once and shared.
//!
//! A server sends the same Core fragment to every computer. [`Library`] keeps one [`Update`] per different fragment, so that
//! many agents in one process (a simulated fleet) hold references only, and reading happens once.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use weir_model::{
    applicability::{Bounds, Context, Facts, Gap, GapKind, Truth, evaluate},
    document::{CoreFragment, DocumentError, Limits, rules::Rule},
    ids::UpdateIdentity,
};

use crate::{
    details::Details,
    state::{Deployed, Revisions},
};

/// Whether a rule holds, without the reasons of what is not known.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Holds {
    /// It does not hold.
    No,
    /// It holds.
    Yes,
    /// It is not known.
    #[default]
    Unknown,
}

/// What the rules of one update say of one computer. What prerequisites and bundles add is the agent's business.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verdict {
    /// `IsInstalled`; none if the update has no such rule, as bundles.
    pub installed: Option<Holds>,
    /// `IsInstallable`, likewise.
    pub installable: Option<Holds>,
}

/// One revision of an update, read.
#[derive(Debug)]
pub struct Update {
    number: u32,
    core: CoreFragment,
    text: Box<str>,
    details: OnceLock<Details>,
}

impl Update {
    /// Its number in its library: counted from 0, given once.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Which revision it is.
    pub fn identity(&self) -> UpdateIdentity {
        self.core.identity
    }

    /// The Core fragment, read.
    pub fn core(&self) -> &CoreFragment {
        &self.core
    }

    /// The Core fragment as delivered.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Title and files, once a server told them to some agent of this library.
    pub fn details(&self) -> Option<&Details> {
        self.details.get()
    }

    /// Remembers title and files; what is known already stays. They are those of the revision, whatever server tells them.
    pub fn learn(&self, details: Details) {
        let _ = self.details.set(details);
    }

    /// Whether its rules hold on a computer.
    pub fn evaluate(&self, facts: &dyn Facts) -> Verdict {
        // one reason is enough where none is asked for
        let bounds = Bounds { gaps: 1, ..Bounds::default() };
        let holds = |rule: &Option<Rule>| {
            rule.as_ref().map(|rule| match self.rule(rule, facts, &bounds) {
                Truth::False => Holds::No,
                Truth::True => Holds::Yes,
                Truth::Unknown(_) => Holds::Unknown,
            })
        };
        Verdict { installed: holds(&self.core.rules.is_installed), installable: holds(&self.core.rules.is_installable) }
    }

    /// Why its rules are not known to hold or not; empty if they are.
    pub fn gaps(&self, facts: &dyn Facts) -> Vec<Gap> {
        let rules = [&self.core.rules.is_installed, &self.core.rules.is_installable];
        let mut gaps = Vec::new();
        for rule in rules.into_iter().flatten() {
            for gap in self.rule(rule, facts, &Bounds::default()).gaps() {
                if !gaps.contains(gap) {
                    gaps.push(gap.clone());
                }
            }
        }
        gaps
    }

    fn rule(&self, rule: &Rule, facts: &dyn Facts, bounds: &Bounds) -> Truth {
        match rule.expr() {
            Some(expr) => evaluate(expr, facts, &Context::from(&self.core), bounds),
            None => Truth::gap(Gap::new(GapKind::Misfit, "a rule that is not one expression")),
        }
    }
}

/// The updates that agents of this process know.
#[derive(Debug, Default)]
pub struct Library {
    next: AtomicU32,
    hashers: (RandomState, RandomState),
    updates: Mutex<HashMap<(u64, u64), Arc<Update>>>,
    deployed: Mutex<HashSet<Arc<Deployed>>>,
    caches: Mutex<HashMap<u64, Weak<Revisions>>>,
}

impl Library {
    /// An empty library.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many different fragments it holds.
    pub fn len(&self) -> usize {
        lock(&self.updates).len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The update of a Core fragment: the one that is there, or a new one.
    ///
    /// # Errors
    ///
    /// The fragment cannot be read.
    pub fn update(&self, text: &str) -> Result<Arc<Update>, DocumentError> {
        // two keyed hashes: who cannot see the keys cannot make two fragments meet
        let key = (self.hashers.0.hash_one(text), self.hashers.1.hash_one(text));
        if let Some(known) = lock(&self.updates).get(&key) {
            return Ok(Arc::clone(known));
        }
        // read outside the lock: large ones take their time
        let core = CoreFragment::parse(text, &Limits::default())?;
        let make = || {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            Arc::new(Update { number, core, text: text.into(), details: OnceLock::new() })
        };
        Ok(Arc::clone(lock(&self.updates).entry(key).or_insert_with(make)))
    }

    /// One copy of equal deployments.
    pub fn deployed(&self, deployed: Deployed) -> Arc<Deployed> {
        let mut known = lock(&self.deployed);
        if let Some(same) = known.get(&deployed) {
            return Arc::clone(same);
        }
        let deployed = Arc::new(deployed);
        known.insert(Arc::clone(&deployed));
        deployed
    }

    /// One copy of equal caches: computers that are offered the same hold it together.
    pub(crate) fn share(&self, revisions: &Arc<Revisions>) -> Arc<Revisions> {
        let facts: Vec<_> =
            revisions.entries().iter().map(|entry| (entry.id, entry.is_leaf, entry.deployed.id)).collect();
        let key = self.hashers.0.hash_one(facts);
        let mut caches = lock(&self.caches);
        if let Some(known) = caches.get(&key).and_then(Weak::upgrade)
            && (Arc::ptr_eq(&known, revisions) || known.entries() == revisions.entries())
        {
            return known;
        }
        if caches.len() == caches.capacity() {
            caches.retain(|_, known| known.strong_count() > 0);
        }
        // a copy has no room left over
        let revisions = Arc::new(Revisions::clone(revisions));
        caches.insert(key, Arc::downgrade(&revisions));
        revisions
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
