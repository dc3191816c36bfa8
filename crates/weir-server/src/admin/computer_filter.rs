//! Computers for which an expression holds, in the language of the rules of collections.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use jiff::Timestamp;
use weir_model::{
    compliance::Listed,
    expression::{ComputerExpression, computers::Field},
    rights::Scope,
    status::{State, UpdateNumber},
};
use weir_store::{ReadTx, StoreError, membership::MembershipRow};

use super::{
    AdminError, App,
    collection::{Tree, definition},
    computer_facts::Facts,
};
use crate::live::{
    Live,
    membership::{StatusView, Told},
};

/// Fields that are known from what computers reported.
const REPORTED: [Field; 5] = [Field::Failed, Field::Installed, Field::Needed, Field::Needs, Field::RestartPending];

/// Zones of computers by row number.
type Zones = HashMap<u32, String>;

/// An expression that is read, and what it is asked of.
pub(super) struct Filter {
    /// Parts that must hold and ask nothing of what computers reported.
    plain: Vec<ComputerExpression>,
    /// Parts that must hold and do.
    reported: Vec<ComputerExpression>,
    facts: Arc<Facts>,
    now: Timestamp,
}

impl Filter {
    /// Reads an expression for a principal: collections that are not there for it cannot be named.
    pub(super) async fn read(app: &App, scope: Scope, text: &str) -> Result<Self, AdminError> {
        let text = text.to_owned();
        let expression = app
            .try_read(move |tx| {
                let tree = Tree::within(tx, &scope)?;
                definition::filter(tx, &tree, &text)
            })
            .await?;
        let now = Timestamp::now();
        let asks = |part: &ComputerExpression| REPORTED.iter().any(|field| part.asks(*field));
        let (reported, plain): (Vec<_>, Vec<_>) = expression.bind(now).conjuncts().into_iter().partition(asks);
        Ok(Self { plain, reported, facts: Facts::current(app).await?, now })
    }

    /// Leaves the computers, by their numbers, for which it holds. It holds for none that scan at another server.
    pub(super) fn retain(&self, tx: &ReadTx<'_>, live: &Live, computers: &mut Vec<u32>) -> Result<(), StoreError> {
        let compiled = live.membership.compiled(tx)?;
        let zones = self.zones(tx)?;
        let nothing = StatusView::default();
        computers.retain(|no| {
            let Some(known) = self.known(*no, zones.as_ref()) else { return false };
            self.plain.iter().all(|part| compiled.holds(part, &known, None, &nothing, self.now))
        });
        if self.reported.is_empty() || computers.is_empty() {
            return Ok(());
        }
        let view = self.view(tx, live)?;
        let reports = Reports::read(tx, live, computers, &view)?;
        let mut reports = reports.each().peekable();
        computers.retain(|no| {
            // what the index does not have never reported
            let nothing = Listed { no: *no, reported: false, installed: 0, others: &[] };
            let listed = reports.next_if(|listed| listed.no == *no).unwrap_or(nothing);
            let Some(known) = self.known(*no, zones.as_ref()) else { return false };
            let holds = |part| compiled.holds(part, &known, Some(Told::Listed(listed)), &view, self.now);
            self.reported.iter().all(holds)
        });
        Ok(())
    }

    /// The zones that administrators gave to computers, if they are asked for: what is kept of a computer does not follow them.
    fn zones(&self, tx: &ReadTx<'_>) -> Result<Option<Zones>, StoreError> {
        if self.plain.iter().chain(&self.reported).any(|part| part.asks(Field::Zone)) {
            Ok(Some(tx.computer_time_zones()?.into_iter().collect()))
        } else {
            Ok(None)
        }
    }

    /// What is known of a computer.
    fn known(&self, no: u32, zones: Option<&Zones>) -> Option<Cow<'_, MembershipRow>> {
        let known = self.facts.find(no)?;
        let Some(zones) = zones else { return Some(Cow::Borrowed(known.as_ref())) };
        let zone = zones.get(&no);
        if known.time_zone.as_ref() == zone {
            return Some(Cow::Borrowed(known.as_ref()));
        }
        Some(Cow::Owned(MembershipRow { time_zone: zone.cloned(), ..MembershipRow::clone(known) }))
    }

    /// What reported states are read with: that of the rules if it serves.
    fn view(&self, tx: &ReadTx<'_>, live: &Live) -> Result<Arc<StatusView>, StoreError> {
        let needs = self.reported.iter().any(|part| part.asks(Field::Needs));
        let (published, kept) = (live.current(), live.membership.view());
        if kept.change == Some(published.change()) && (kept.with_articles || !needs) {
            return Ok(kept);
        }
        Ok(Arc::new(StatusView::read(tx, &published, &live.directory, needs)?))
    }
}

/// What computers reported, as the index of compliance knows it, taken from there at once: nothing is read while that is held.
struct Reports {
    /// Number, whether it reported, installed updates, and where its other states end.
    computers: Vec<(u32, bool, u64, usize)>,
    states: Vec<(UpdateNumber, State)>,
}

impl Reports {
    /// Of these computers, of the updates of a view.
    fn read(tx: &ReadTx<'_>, live: &Live, computers: &[u32], view: &StatusView) -> Result<Self, StoreError> {
        let mut reports = Self { computers: Vec::with_capacity(computers.len()), states: Vec::new() };
        live.compliance(tx)?.listed(computers, view.updates(), &mut |listed| {
            reports.states.extend_from_slice(listed.others);
            reports.computers.push((listed.no, listed.reported, listed.installed, reports.states.len()));
        });
        Ok(reports)
    }

    /// Each, in the order in which they were named.
    fn each(&self) -> impl Iterator<Item = Listed<'_>> {
        let mut start = 0;
        self.computers.iter().map(move |(no, reported, installed, end)| {
            let others = self.states.get(start..*end).unwrap_or_default();
            start = *end;
            Listed { no: *no, reported: *reported, installed: *installed, others }
        })
    }
}
