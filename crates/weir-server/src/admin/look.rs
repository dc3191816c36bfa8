//! Many questions about how computers stand, answered in one look at the index: by sheets, which know the answer of every computer and
//! follow what changes ([`weir_model::compliance::Sheet`]). What it costs does not grow with the computers.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use weir_model::{
    compliance::{Members, Sheet, Slots, Sum},
    freshness::Freshness,
    ids::UpdateId,
    status::Counts,
};
use weir_store::{ReadTx, StoreError};

use super::tally::{self, Who};
use crate::live::{Live, NotCurrent, View};

/// One look. Nothing is to be read, and nothing else asked of the index, as long as it is held.
pub(crate) struct Look<'l> {
    view: View<'l>,
    /// Computers whose reports are not current.
    others: Vec<(Freshness, Slots)>,
    as_of: Timestamp,
}

impl<'l> Look<'l> {
    pub(crate) fn new(tx: &ReadTx<'_>, live: &'l Live) -> Result<Self, StoreError> {
        let others = tally::not_current(tx, live)?;
        Self::of(tx, live, &others)
    }

    /// The same where computers are silent after so many days.
    pub(crate) fn silent_after(tx: &ReadTx<'_>, live: &'l Live, days: u32) -> Result<Self, StoreError> {
        let others = live.not_current(tx, days)?;
        Self::of(tx, live, &others)
    }

    fn of(tx: &ReadTx<'_>, live: &'l Live, others: &NotCurrent) -> Result<Self, StoreError> {
        let view = live.compliance(tx)?;
        let of_class = |class: Freshness| {
            let own = others.iter().filter(move |(_, verdict)| verdict.class == class);
            (class, view.slots(own.map(|(no, _)| *no)))
        };
        let classes = Freshness::ALL.into_iter().filter(|class| *class != Freshness::Current);
        let classes = classes.map(of_class).collect();
        Ok(Self { as_of: others.as_of, others: classes, view })
    }

    /// When it was last read which computers are current; everything else is as it is now.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The index, of which nothing else is to be asked.
    pub(crate) fn view(&self) -> &View<'l> {
        &self.view
    }

    /// Who is meant.
    pub(crate) fn members(&self, who: &Who<'_>) -> Members {
        who.members(&self.view)
    }

    /// The servers that members scan against.
    pub(crate) fn sites(&self, members: &Members) -> BTreeSet<u32> {
        self.view.sites(members)
    }

    /// The answers to questions about some updates, or about all that each computer is asked about, in their order.
    pub(crate) fn sheets(&self, questions: &[Option<&HashSet<UpdateId>>]) -> Vec<Arc<Sheet>> {
        self.view.sheets(questions)
    }

    /// How members stand, by a sheet of this look.
    pub(crate) fn stands(&self, sheet: &Sheet, members: &Members) -> Stands {
        let of_class =
            |(class, computers): &(Freshness, Slots)| (*class, self.view.add_up_of(sheet, members, computers));
        Stands { all: self.view.add_up(sheet, members), others: self.others.iter().map(of_class).collect() }
    }
}

/// How some computers stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stands {
    /// All of them.
    pub(crate) all: Sum,
    /// Those of them whose reports are not current, by class.
    others: Vec<(Freshness, Sum)>,
}

impl Stands {
    /// Those of a class that is not current.
    pub(crate) fn of_class(&self, class: Freshness) -> Sum {
        self.others.iter().find(|(known, _)| *known == class).map(|(_, some)| *some).unwrap_or_default()
    }

    /// Those that stopped calling or reporting.
    pub(crate) fn stale(&self) -> impl Iterator<Item = &Sum> {
        self.others.iter().filter(|(class, _)| class.is_stale()).map(|(_, some)| some)
    }

    /// How many of those that `compliant` counts have current reports.
    pub(crate) fn current(&self, compliant: impl Fn(&Counts) -> u64) -> u64 {
        let all = compliant(&self.all.states);
        self.others.iter().fold(all, |left, (_, some)| left.saturating_sub(compliant(&some.states)))
    }
}
