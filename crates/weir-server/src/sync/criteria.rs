//! Criteria at the moment in which what was brought goes into the catalogue.
//!
//! In the transaction that promotes: [`Judge::load`]; if there is one, hand it every revision to be promoted; then
//! [`Judge::decide`] gives the verdicts. A revision of a skipped update is not stored; a declined one is stored and its
//! update declined as [`decliner`] of the rule.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_model::{criteria::Verdict, ids::UpdateId};
use weir_store::{ReadTx, StoreError, revision::NewRevision};

/// Who declined: `rule: NAME`. An administrator who takes it back is respected: the same update is not declined by a rule
/// again.
pub fn decliner(rule: &str) -> String {
    format!("rule: {rule}")
}

/// The rules as they hold, and what they are to judge.
pub struct Judge {}

impl Judge {
    /// None while no rule is enabled: then everything is kept.
    pub fn load(_tx: &ReadTx<'_>) -> Result<Option<Self>, StoreError> {
        Ok(None)
    }

    /// One more revision to be promoted. Of several revisions of an update the highest counts.
    pub fn add(&mut self, _revision: &NewRevision) {
        unimplemented!()
    }

    /// The verdicts. What the catalogue has already is never skipped; what an administrator took back is never declined.
    pub fn decide(self, _tx: &ReadTx<'_>, _now: Timestamp) -> Result<Verdicts, StoreError> {
        unimplemented!()
    }
}

/// What became of the updates of a batch.
#[derive(Debug, Default)]
pub struct Verdicts(BTreeMap<UpdateId, Verdict>);

impl Verdicts {
    /// The verdict on an update.
    pub fn of(&self, update: UpdateId) -> &Verdict {
        self.0.get(&update).unwrap_or(&Verdict::Keep)
    }
}
