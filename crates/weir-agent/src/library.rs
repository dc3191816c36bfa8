//! Updates as servers deliver them, read once and shared.
//!
//! A server sends the same Core fragment to every computer. [`Library`] keeps one [`Update`] per different fragment, so that
//! many agents in one process (a simulated fleet) hold references only, and reading happens once.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use weir_model::{
    applicability::Facts,
    document::{CoreFragment, DocumentError, Limits},
    ids::UpdateIdentity,
};

/// Three-valued answer of a rule.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It holds.
    True,
    /// It is not known.
    #[default]
    Unknown,
}

/// What the rules of one update say of one computer. What prerequisites and bundles add is the agent's business.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verdict {
    /// `IsInstalled`; none if the update has no such rule, as bundles.
    pub installed: Option<Truth>,
    /// `IsInstallable`, likewise.
    pub installable: Option<Truth>,
}

/// One revision of an update, read.
#[derive(Debug)]
pub struct Update {
    number: u32,
    core: CoreFragment,
    text: Box<str>,
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

    /// Whether its rules hold on a computer.
    pub fn evaluate(&self, facts: &dyn Facts) -> Verdict {
        // becomes the evaluator of weir_model::applicability
        let _ = facts;
        Verdict::default()
    }
}

/// The updates that agents of this process know.
#[derive(Debug, Default)]
pub struct Library {
    next: AtomicU32,
    hashers: (RandomState, RandomState),
    updates: Mutex<HashMap<(u64, u64), Arc<Update>>>,
}

impl Library {
    /// An empty library.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many different fragments it holds.
    pub fn len(&self) -> usize {
        self.updates.lock().unwrap_or_else(PoisonError::into_inner).len()
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
        let lock = || self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        // read outside the lock: large ones take their time
        let core = CoreFragment::parse(text, &Limits::default())?;
        let update = lock()
            .entry(key)
            .or_insert_with(|| {
                Arc::new(Update { number: self.next.fetch_add(1, Ordering::Relaxed), core, text: text.into() })
            })
            .clone();
        Ok(update)
    }
}
