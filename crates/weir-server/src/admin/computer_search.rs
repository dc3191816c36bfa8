//! Which computers a list or a count is about.

use std::sync::Arc;

use jiff::Timestamp;
use weir_api::{
    compliance::ComputerState,
    computer::{ComputerCounts, ComputerQuery},
};
use weir_model::{
    compliance::Standing,
    freshness::{Freshness, Rule},
    ids::CollectionId,
    rights::Scope,
    status::{Counts, State},
};
use weir_store::ReadTx;

use super::{
    AdminError, App,
    collection::Tree,
    computer_filter::Filter,
    computer_roster::Roster,
    freshness, rollup,
    standing::api_state,
    tally::{self, Who},
    transport,
};
use crate::live::Live;

/// Characters of a text to look for.
const LONGEST_TEXT: usize = 256;

/// A text that can be looked for.
pub(crate) fn checked(text: &str) -> Result<&str, AdminError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_TEXT || text.contains(char::is_control) {
        return Err(AdminError::invalid(
            "text",
            format!("the text must have 1 to {LONGEST_TEXT} characters that can be printed"),
        ));
    }
    Ok(text)
}

/// What a query needs beside the database.
pub(super) struct Beside {
    roster: Option<Arc<Roster>>,
    filter: Option<Filter>,
}

impl Beside {
    /// Reads it. `sorted` asks for names and times for an order.
    pub(super) async fn read(
        app: &App,
        scope: &Scope,
        query: &ComputerQuery,
        sorted: bool,
    ) -> Result<Self, AdminError> {
        let roster = if sorted || query.text.is_some() { Some(Roster::current(app).await?) } else { None };
        let filter = match query.filter.as_deref().map(str::trim).filter(|filter| !filter.is_empty()) {
            Some(filter) => Some(Filter::read(app, scope.clone(), filter).await?),
            None => None,
        };
        Ok(Self { roster, filter })
    }

    /// What computers are called, if that was read.
    pub(super) fn roster(&self) -> Option<&Roster> {
        self.roster.as_deref()
    }
}

/// What the computers of a query are found for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Something is done with them: what is known of their calls is read now.
    Act,
    /// They are counted by state. What is known of their calls may be a few seconds old.
    Count,
    /// They are listed. What is known of their calls may be a few seconds old.
    List,
}

/// The computers of a query: in a collection, at a server, of a freshness, coming so, with a text, as an expression says, in a
/// state.
pub(super) struct Chosen {
    /// Their row numbers, ascending.
    pub(super) computers: Vec<u32>,
    pub(super) rule: Rule,
    /// By state, compliant ones; only for [`Purpose::Count`].
    states: Counts,
    compliant: u64,
}

/// Finds them.
pub(super) fn chosen(
    tx: &ReadTx<'_>,
    live: &Live,
    tree: &Tree,
    query: &ComputerQuery,
    beside: &Beside,
    purpose: Purpose,
) -> Result<Chosen, AdminError> {
    let days = freshness::days(tx, query.silent_days)?;
    let rule = Rule::days(days);
    let within = match &query.collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let site = rollup::narrowed(tx, query.server.as_deref())?;
    let (mut computers, mut standings) = {
        let view = live.compliance(tx)?;
        let members = Who::of(tree, within, site).members(&view);
        if query.state.is_some() || purpose == Purpose::Count {
            let mut standings = view.standings(&members, None);
            standings.retain(|it| query.state.is_none_or(|wanted: ComputerState| wanted == api_state(it.state)));
            standings.sort_unstable_by_key(|it| it.no);
            (standings.iter().map(|it| it.no).collect::<Vec<u32>>(), standings)
        } else {
            (view.numbers(&members), Vec::<Standing>::new())
        }
    };
    if let Some(wanted) = query.freshness {
        let is_wanted = |class| freshness::class(class) == wanted;
        if purpose == Purpose::Act {
            let verdicts = freshness::all(tx, &rule, Timestamp::now())?;
            computers.retain(|no| verdicts.get(no).is_some_and(|verdict| is_wanted(verdict.class)));
        } else {
            let others = live.not_current(tx, days)?;
            computers.retain(|no| is_wanted(others.get(no).map_or(Freshness::Current, |verdict| verdict.class)));
        }
    }
    if let Some(how) = query.transport {
        transport::retain(tx, live, how, &mut computers)?;
    }
    if let (Some(text), Some(roster)) = (query.text.as_deref(), beside.roster()) {
        let matching = roster.matching(checked(text)?);
        computers.retain(|no| matching.binary_search(no).is_ok());
    }
    if let Some(filter) = &beside.filter {
        filter.retain(tx, live, &mut computers)?;
    }
    let (mut states, mut compliant) = (Counts::default(), 0);
    if purpose == Purpose::Count {
        if standings.len() != computers.len() {
            standings.retain(|it| computers.binary_search(&it.no).is_ok());
        }
        for standing in &standings {
            states.add(standing.state);
            compliant += u64::from(standing.state.is_compliant());
        }
    }
    Ok(Chosen { computers, rule, states, compliant })
}

/// How many computers a query leaves.
pub(crate) async fn counts(app: &App, scope: Scope, query: ComputerQuery) -> Result<ComputerCounts, AdminError> {
    let beside = Beside::read(app, &scope, &query, false).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        if let Some(counts) = at_once(tx, &live, &tree, &query)? {
            return Ok(counts);
        }
        let chosen = chosen(tx, &live, &tree, &query, &beside, Purpose::Count)?;
        Ok(ComputerCounts {
            computers: chosen.computers.len() as u64,
            compliant: chosen.compliant,
            states: tally::shown(&chosen.states),
        })
    })
    .await
}

/// The same without a look at each computer, of a query that asks for nothing else than where they are and for a state.
fn at_once(
    tx: &ReadTx<'_>,
    live: &Live,
    tree: &Tree,
    query: &ComputerQuery,
) -> Result<Option<ComputerCounts>, AdminError> {
    let asks = query.freshness.is_some() || query.transport.is_some() || query.text.is_some() || query.filter.is_some();
    if asks {
        return Ok(None);
    }
    freshness::days(tx, query.silent_days)?;
    let within = match &query.collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let site = rollup::narrowed(tx, query.server.as_deref())?;
    let view = live.compliance(tx)?;
    let members = Who::of(tree, within, site).members(&view);
    let mut states = Counts::default();
    for sheet in view.sheets(&[None]) {
        let all = view.add_up(&sheet, &members).states;
        let wanted = |state: &State| query.state.is_none_or(|wanted| wanted == api_state(*state));
        for state in State::ALL.into_iter().filter(wanted) {
            states.add_many(state, all.of(state));
        }
    }
    let (computers, compliant) = (states.total(), states.compliant());
    Ok(Some(ComputerCounts { computers, compliant, states: tally::shown(&states) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_to_look_for_are_bounded() {
        assert_eq!(checked(" a ").expect("fine"), "a");
        assert!(checked(" ").is_err() && checked("a\u{1}").is_err() && checked(&"x".repeat(257)).is_err());
    }
}
