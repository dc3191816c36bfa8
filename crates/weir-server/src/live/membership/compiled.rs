//! Definitions as they are stored, ready to be evaluated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    expression::{ComputerExpression, Depends, computers::Field},
    ids::CollectionId,
    membership::{Definition, Explanation, Group, Plan, Source, affected},
};
use weir_store::{
    ReadTx, StoreError,
    collection::MemberSource,
    membership::{CollectionDefinition, MembershipRow},
};

use super::{
    facts::{Known, Seen, SiteNames, Told},
    view::StatusView,
};

type Definitions = BTreeMap<CollectionId, Definition<ComputerExpression>>;

/// All definitions of one version.
pub struct Compiled {
    /// The version of the definitions.
    pub(crate) version: u64,
    /// What the rules depend on together.
    pub(crate) depends: Depends,
    /// Some rule asks for updates by name.
    pub(crate) needs: bool,
    pub(crate) definitions: Definitions,
    groups: Vec<Group>,
    plan: Plan<ComputerExpression>,
    site: SiteNames,
}

/// What was found out of one computer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The collections by rule that it is in, ascending.
    pub members: Vec<(CollectionId, MemberSource)>,
    /// When time alone may change that.
    pub next: Option<Timestamp>,
}

/// A definition, as far as it can be understood. A rule of a later version holds for nobody, and neither does anything else
/// of its collection.
pub(crate) fn definition(id: CollectionId, stored: &CollectionDefinition) -> Definition<ComputerExpression> {
    let rule = stored.rule.as_deref().map(ComputerExpression::parse).transpose();
    let mut limiting = stored.limiting;
    let rule = rule.unwrap_or_else(|error| {
        tracing::error!(collection = %id, %error, "the rule of a collection cannot be read; nobody is in it");
        limiting = Some(CollectionId(Uuid::nil()));
        None
    });
    Definition {
        id,
        rule,
        named: stored.named.iter().copied().collect(),
        includes: stored.includes.iter().copied().collect(),
        excludes: stored.excludes.iter().copied().collect(),
        limiting,
    }
}

impl Compiled {
    /// Reads what is stored.
    pub fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let (version, _) = tx.membership_version()?;
        let stored = tx.collection_definitions()?;
        let definitions = stored.iter().map(|(id, stored)| (*id, definition(*id, stored))).collect();
        let here = tx.sites_here()?.site;
        let name = here.map_or(Ok(None), |id| tx.sites_show(id))?.map(|site| site.node.name).unwrap_or_default();
        let server = tx.site()?.map(|site| site.server_id);
        let site = SiteNames { ids: here.into_iter().chain(server).collect(), name };
        Ok(Self::new(version, definitions, tx.collection_groups()?, site))
    }

    fn new(version: u64, definitions: Definitions, groups: Vec<Group>, site: SiteNames) -> Self {
        let mut depends = Depends::default();
        let mut needs = false;
        for rule in definitions.values().filter_map(|definition| definition.rule.as_ref()) {
            needs |= rule.asks(Field::Needs);
            let of = rule.depends();
            depends.time |= of.time;
            depends.contact |= of.contact;
            depends.inventory |= of.inventory;
            depends.status |= of.status;
            depends.membership |= of.membership;
        }
        let plan = Plan::new(definitions.values().cloned().collect(), &groups);
        Self { version, depends, needs, definitions, groups, plan, site }
    }

    /// The same with another definition of one collection: what would be if it were stored.
    pub(crate) fn with(&self, definition: Definition<ComputerExpression>) -> Self {
        let mut definitions = self.definitions.clone();
        definitions.insert(definition.id, definition);
        Self::new(self.version, definitions, self.groups.clone(), self.site.clone())
    }

    pub(crate) fn plan(&self) -> &Plan<ComputerExpression> {
        &self.plan
    }

    /// The collections whose members may be others since an earlier version.
    pub(crate) fn affected_since(&self, before: &Self) -> BTreeSet<CollectionId> {
        if self.groups == before.groups { affected(&before.definitions, &self.definitions) } else { self.all() }
    }

    /// Every collection by rule.
    pub(crate) fn all(&self) -> BTreeSet<CollectionId> {
        self.definitions.keys().copied().collect()
    }

    /// Where a computer is now, and when that may change by itself.
    pub fn evaluate(&self, row: &MembershipRow, view: &StatusView, now: Timestamp) -> Found {
        let known = Known::new(row, self.depends.status, view, &self.site);
        let decided = |id| self.plan.decides(id);
        let judge = |rule: &ComputerExpression, inside: &dyn Fn(CollectionId) -> bool| {
            rule.accepts(&Seen { known: &known, inside, decided: &decided }, now)
        };
        let members = self.plan.evaluate(&row.assigned, &judge);
        let members = members.into_iter().map(|(id, source)| (id, stored_source(source))).collect();
        let next = if self.depends.time {
            // ages do not look at collections
            let seen = Seen { known: &known, inside: &|_| false, decided: &decided };
            self.plan.rules().filter_map(|(_, rule)| rule.next_change(&seen, now)).min()
        } else {
            None
        };
        Found { members, next }
    }

    /// Whether an expression that is no rule holds for a computer that told this, in the collections that it is in now.
    pub(crate) fn holds(
        &self,
        expression: &ComputerExpression,
        row: &MembershipRow,
        told: Option<Told<'_>>,
        view: &StatusView,
        now: Timestamp,
    ) -> bool {
        let known = Known { row, told, view, site: &self.site, names: None };
        let decided = |id| self.plan.decides(id);
        let inside = |id: CollectionId| match id {
            CollectionId::ALL_COMPUTERS => true,
            CollectionId::UNASSIGNED_COMPUTERS => {
                row.assigned.groups.iter().all(|group| *group == CollectionId::UNASSIGNED_COMPUTERS)
            }
            id => row.decided.iter().any(|(member, _)| *member == id),
        };
        expression.accepts(&Seen { known: &known, inside: &inside, decided: &decided }, now)
    }

    /// Why a computer is in a collection, or is not; with the terms of the rule that decided.
    pub(crate) fn explain(
        &self,
        id: CollectionId,
        row: &MembershipRow,
        view: &StatusView,
        names: &dyn Fn(CollectionId) -> String,
        now: Timestamp,
    ) -> Option<(Explanation, Option<weir_model::expression::Explanation>)> {
        let definition = self.definitions.get(&id)?;
        let mut known = Known::new(row, self.depends.status, view, &self.site);
        known.names = Some(names);
        let decided = |id| self.plan.decides(id);
        let terms = std::cell::RefCell::new(None);
        let judge = |rule: &ComputerExpression, inside: &dyn Fn(CollectionId) -> bool| {
            let seen = Seen { known: &known, inside, decided: &decided };
            if definition.rule.as_ref() == Some(rule) {
                *terms.borrow_mut() = Some(rule.explain(&seen, now));
            }
            rule.accepts(&seen, now)
        };
        let explanation = self.plan.explain(definition, &row.assigned, &judge)?;
        Some((explanation, terms.into_inner()))
    }
}

fn stored_source(source: Source) -> MemberSource {
    match source {
        Source::Direct => MemberSource::Manual,
        Source::Rule => MemberSource::Rule,
        Source::Include => MemberSource::Include,
    }
}
