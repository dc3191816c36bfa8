//! How computers, updates and counts stand in cells.

use weir_model::{
    ids::UpdateId,
    report::Cell,
    search::Entry as Update,
    status::{Counts, State},
};
use weir_store::report::ReportComputer;

use super::{
    super::{index::severity_word, list},
    source::Source,
};

impl Source<'_> {
    /// The server of a computer, by name.
    pub(super) fn site_name(&self, site: u32) -> Cell {
        self.servers.get(&site).map_or(Cell::Absent, |(_, name)| Cell::text(name))
    }

    /// Id, name and server of a computer: the first three columns of every list of them.
    pub(super) fn who(&self, computer: &ReportComputer) -> [Cell; 3] {
        [Cell::Id(computer.id.to_string()), Cell::text(&computer.dns_name), self.site_name(computer.site)]
    }

    /// Id, articles and title of an update: the first three columns of every list of them.
    pub(super) fn what(&self, update: UpdateId) -> [Cell; 3] {
        let articles = self.index.find(update).map(articles).unwrap_or_default();
        [Cell::Id(update.to_string()), Cell::text(articles), Cell::text(self.index.title(update))]
    }

    /// The severity of an update, an administrator's before the publisher's.
    pub(super) fn severity(&self, update: UpdateId) -> Cell {
        let custom = self.index.search.slot(update).and_then(|slot| self.index.search.state(slot));
        let severity = custom
            .and_then(|state| state.flags.custom_severity)
            .or_else(|| self.index.find(update).and_then(|entry| entry.severity));
        severity.map_or(Cell::Absent, |severity| Cell::State(severity_word(severity)))
    }

    /// The first classification of an update.
    pub(super) fn classification(&self, update: UpdateId) -> Option<(UpdateId, String)> {
        let slot = self.index.search.slot(update)?;
        let classification = self.index.search.classifications(slot).next()?;
        Some((classification.id, list::short(&classification.title)))
    }

    /// The company of an update's first product.
    pub(super) fn vendor(&self, update: UpdateId) -> Option<String> {
        /// Levels of categories; the bound only guards against damaged data.
        const LEVELS: usize = 8;
        let slot = self.index.search.slot(update)?;
        self.index.search.products(slot).find_map(|product| {
            let mut next = Some(product);
            for _ in 0..LEVELS {
                let category = next?;
                if category.kind == weir_model::update::CategoryKind::Company {
                    return Some(list::short(&category.title));
                }
                next = category.parent.and_then(|parent| self.index.search.category(parent));
            }
            None
        })
    }
}

/// Articles as administrators write them.
fn articles(entry: &Update) -> String {
    entry.kb_articles.iter().map(|article| format!("KB{article}")).collect::<Vec<_>>().join(", ")
}

/// How many are in each of these states, as cells.
pub(super) fn counts_of(counts: &Counts, states: &[State]) -> impl Iterator<Item = Cell> {
    let counts = *counts;
    states.iter().map(move |state| Cell::Count(counts.of(*state)))
}

/// Compliant ones of all, as a cell; there is no share if nobody is asked.
pub(super) fn percent(counts: &Counts, asked: u64) -> Cell {
    if asked == 0 { Cell::Absent } else { Cell::share(counts.compliant(), counts.total()) }
}

/// The states in the order in which reports show them.
pub(super) const SHOWN: [State; 7] = [
    State::Required,
    State::Downloaded,
    State::PendingRestart,
    State::Failed,
    State::Installed,
    State::NotApplicable,
    State::Unknown,
];
