//! The index of updates that lists and searches are answered from: a filter in the expression language, text search,
//! sorting, pages and facets over all updates, without the database.
//!
//! [`Base`] holds what documents say. It only grows: new revisions are added as a segment of their own, and what they replace
//! is left out, so that a change of the catalogue costs what changed. [`Index`] adds what moves (declines, deployments,
//! groups, supersedence): [`Index::new`] is one pass over all updates. [`Index::search`] answers a [`Query`];
//! [`Index::matching`] and [`Index::facts`] are for rules, which also want to know why an update does not match:
//! `expression.explain(&index.facts(slot, counts), now)`.
//!
//! An update is named by its *slot*, a number that ascends with arrival and means something in one index only.
//!
//! *Invariant:* an index never changes; readers keep the one they took.

mod base;
mod cursor;
mod dictionary;
mod entry;
mod facets;
mod facts;
mod index;
mod query;
mod words;

#[cfg(test)]
mod tests;

pub use self::{
    base::{Addition, Base},
    cursor::{Cursor, CursorError},
    entry::{Category, Counts, Entry, Files, Flags, Group, State},
    facets::{Facet, FacetValue, FacetValues, RevisionCounts},
    facts::Known,
    index::{Index, Moving},
    query::{Query, Results, Sort},
    words::{fold, words},
};
