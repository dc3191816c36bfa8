//! Facets of the list, of which REST takes one value each.

use weir_api::{
    List,
    collection::Collection,
    compliance::{ServerSummary, ServerSummaryQuery},
    computer::ComputerCounts,
    freshness::{FreshnessQuery, FreshnessSummary},
    list::ListQuery,
    tls::{TransportQuery, TransportSummary},
};

use super::{CLASSES, rest::ComputersQuery};
use crate::{
    address::Address,
    cx::Cx,
    texts::computers as t,
    ui::{self, badge::State, grid::FacetGroup},
};

/// The properties. The last one is the selector of the top bar, too.
const FIELDS: [&str; 5] = ["state", "freshness", "transport", "collection", "site"];
/// Collections that are offered, those of most computers first.
const MOST_COLLECTIONS: usize = 40;
/// Rows of a page.
const ROWS: u32 = 100;

/// One value of each property: the last one that was chosen. `state=failed`, as other pages link, is `f=state:failed`.
pub(super) fn settled(cx: &Cx) -> Cx {
    let named = FIELDS.iter().filter(|field| **field != "site");
    let linked = named.clone().filter_map(|field| Some((*field, cx.address.value(field)?)));
    let terms = cx.address.values("f").filter_map(|term| term.split_once(':'));
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for (field, value) in linked.chain(terms).filter(|(field, value)| FIELDS.contains(field) && !value.is_empty()) {
        chosen.retain(|(known, _)| *known != field);
        chosen.push((field, value));
    }
    let bare = named.fold(cx.address.without("f"), |address, field| address.without(field));
    let address = chosen.iter().fold(bare, |address, (field, value)| address.and("f", format!("{field}:{value}")));
    cx.at(address)
}

/// The chosen value of a property.
pub(super) fn chosen<'a>(address: &'a Address, field: &str) -> Option<&'a str> {
    address
        .values("f")
        .filter_map(|term| term.split_once(':'))
        .find(|(known, _)| *known == field)
        .map(|(_, value)| value)
}

/// What REST is asked for at a settled address.
pub(super) fn query(cx: &Cx) -> ComputersQuery {
    let chosen = |field: &str| chosen(&cx.address, field).map(str::to_owned);
    let text = cx.address.value("text").map(|text| text.trim().chars().take(256).collect::<String>());
    ComputersQuery {
        text: text.filter(|text| !text.is_empty()),
        filter: cx.address.value("filter").map(str::to_owned),
        state: chosen("state"),
        collection: chosen("collection"),
        server: chosen("site").or_else(|| cx.server()),
        freshness: chosen("freshness"),
        transport: chosen("transport"),
        sort: cx.address.value("sort").map(str::to_owned),
        cursor: cx.address.value("cursor").map(str::to_owned),
        limit: Some(ROWS),
    }
}

/// What the facets count: states those of the whole query, the others those of its collection and site. What REST does not tell
/// is left out.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Of the query, whatever its state.
    pub(super) all: Option<ComputerCounts>,
    transports: Option<TransportSummary>,
    freshness: Option<FreshnessSummary>,
    servers: Vec<ServerSummary>,
    collections: Vec<Collection>,
}

impl Counts {
    /// Asks for all of them at once.
    pub(super) async fn load(cx: &Cx, query: &ComputersQuery) -> Self {
        let all = ComputersQuery { state: None, ..query.counted() };
        let (collection, server) = (query.collection.clone(), query.server.clone());
        let transports = TransportQuery { collection: collection.clone() };
        let freshness = FreshnessQuery { collection: collection.clone(), server, silent_days: None };
        let servers = ServerSummaryQuery { collection, ..ServerSummaryQuery::default() };
        let most = ListQuery { cursor: None, limit: Some(1000) };
        let (all, transports, freshness, servers, collections) = tokio::join!(
            cx.api.get("/computers-counts", &all),
            cx.api.get("/computers/transport", &transports),
            cx.api.get("/compliance/freshness", &freshness),
            cx.api.get::<List<ServerSummary>>("/compliance/servers", &servers),
            cx.api.get::<List<Collection>>("/collections", &most),
        );
        Self {
            all: all.ok(),
            transports: transports.ok(),
            freshness: freshness.ok(),
            servers: servers.map(|list| list.items).unwrap_or_default(),
            collections: collections.map(|list| list.items).unwrap_or_default(),
        }
    }

    /// Rows that a query leaves.
    pub(super) fn total(&self, query: &ComputersQuery) -> Option<u64> {
        let all = self.all.as_ref()?;
        match query.state.as_deref() {
            None => Some(all.computers),
            Some(word) => State::ALL.into_iter().find(|state| state.key() == word).map(|state| state.of(&all.states)),
        }
    }

    /// The groups that have more than nothing.
    pub(super) fn groups(&self, cx: &Cx) -> Vec<FacetGroup> {
        let group = |field: &str, values: Vec<(String, String, u64)>| FacetGroup {
            label: t::facet(cx, field),
            field: field.to_owned(),
            values: values
                .into_iter()
                .filter(|(value, _, rows)| *rows > 0 || chosen(&cx.address, field) == Some(value))
                .collect(),
        };
        let groups = [
            group("state", self.states(cx)),
            group("freshness", self.classes(cx)),
            group("transport", self.transports()),
            group("collection", self.places(cx)),
            group("site", self.sites(cx)),
        ];
        groups.into_iter().filter(|group| !group.values.is_empty()).collect()
    }

    fn states(&self, cx: &Cx) -> Vec<(String, String, u64)> {
        let Some(all) = &self.all else { return Vec::new() };
        let value = |state: State| (state.key().to_owned(), state.label(cx), state.of(&all.states));
        State::ALL.into_iter().map(value).collect()
    }

    fn classes(&self, cx: &Cx) -> Vec<(String, String, u64)> {
        let Some(counts) = self.freshness.as_ref().map(|summary| summary.classes) else { return Vec::new() };
        CLASSES
            .into_iter()
            .map(|class| (ui::word(&class), t::freshness(cx, &ui::word(&class)), super::stale::count(&counts, class)))
            .collect()
    }

    fn transports(&self) -> Vec<(String, String, u64)> {
        let Some(total) = self.transports.as_ref().map(|known| known.total) else { return Vec::new() };
        [("http", total.http), ("https", total.https)]
            .map(|(value, count)| (value.to_owned(), value.to_uppercase(), count))
            .to_vec()
    }

    fn places(&self, cx: &Cx) -> Vec<(String, String, u64)> {
        let here = chosen(&cx.address, "collection");
        let mut places: Vec<&Collection> = self.collections.iter().filter(|one| one.parent.is_some()).collect();
        // the chosen one stays however small it is
        places.sort_by_key(|one| (here != Some(one.name.as_str()), std::cmp::Reverse(one.members_below)));
        places.truncate(MOST_COLLECTIONS);
        places.iter().map(|one| (one.name.clone(), one.name.clone(), one.members_below)).collect()
    }

    /// Without a choice in the top bar, where there is more than one.
    fn sites(&self, cx: &Cx) -> Vec<(String, String, u64)> {
        if self.servers.len() < 2 || cx.server().is_some() {
            return Vec::new();
        }
        let value = |one: &ServerSummary| match &one.server {
            None => ("this".to_owned(), t::this_server(cx).to_owned(), one.summary.computers),
            Some(server) => (server.name.clone(), server.name.clone(), one.summary.computers),
        };
        self.servers.iter().map(value).collect()
    }
}
