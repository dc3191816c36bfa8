//! How an update hangs together with others: a graph in both directions, and every relation as a row.

use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

use axum::response::Response;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_api::update::UpdateDetail;

use crate::{
    address::{Address, path},
    cx::Cx,
    texts::updates as t,
    ui::{
        badge::{Tone, badge},
        chart::{self, Edge, Node},
        grid::{Column, Grid},
    },
};

/// Steps away from the update that can be asked for.
const DEPTHS: [u32; 3] = [1, 2, 3];
/// Updates of a graph.
const MOST: u32 = 200;
/// Columns on each side that are drawn.
const DRAWN: i32 = 2;

/// What `GET updates/{id}/relations` is asked for.
#[derive(Serialize)]
struct Asked {
    depth: u32,
    limit: u32,
}

/// An update of the graph.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Related {
    id: Uuid,
    title: String,
    declined: bool,
    expired: bool,
}

/// What one update says of another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Relation {
    kind: String,
    from: Uuid,
    to: Uuid,
}

/// What `GET updates/{id}/relations` answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Graph {
    root: Uuid,
    updates: Vec<Related>,
    relations: Vec<Relation>,
    truncated: bool,
}

/// The graph; of a server that has none, what the update itself says.
pub(super) async fn load(cx: &Cx, update: &UpdateDetail) -> Graph {
    let asked = Asked { depth: depth(cx), limit: MOST };
    let address = path(&["updates", &update.row.id.to_string(), "relations"]);
    match cx.api.get::<Graph>(&address, &asked).await {
        Ok(graph) => graph,
        Err(_) => Graph::of(update),
    }
}

fn depth(cx: &Cx) -> u32 {
    let asked = cx.address.value("depth").and_then(|depth| depth.parse().ok());
    asked.filter(|depth| DEPTHS.contains(depth)).unwrap_or(1)
}

impl Graph {
    /// One step in both directions, as the detail of the update has it.
    fn of(update: &UpdateDetail) -> Self {
        let root = update.row.id;
        let mut graph = Self { root, ..Self::default() };
        graph.updates.push(Related { id: root, title: update.row.title.clone(), ..Related::default() });
        for one in update.prerequisites.iter().flatten() {
            graph.add("requires", (root, one.id), one.id, &one.name);
        }
        for one in &update.supersedes {
            graph.add("supersedes", (root, one.id), one.id, &one.name);
        }
        for one in update.bundles.iter().flatten() {
            graph.add("bundles", (root, one.id), one.id, &one.name);
        }
        for one in &update.superseded_by {
            graph.add("supersedes", (one.id, root), one.id, &one.name);
        }
        for one in &update.bundled_in {
            graph.add("bundles", (one.id, root), one.id, &one.name);
        }
        graph
    }

    fn add(&mut self, kind: &str, (from, to): (Uuid, Uuid), id: Uuid, title: &str) {
        if !self.updates.iter().any(|known| known.id == id) {
            self.updates.push(Related { id, title: title.to_owned(), ..Related::default() });
        }
        self.relations.push(Relation { kind: kind.to_owned(), from, to });
    }

    /// How many steps each update is away: below 0 is what the root builds on, above 0 what builds on the root. What lies on
    /// neither way comes beside what it hangs together with.
    fn layers(&self) -> BTreeMap<Uuid, i32> {
        let mut layers = BTreeMap::from([(self.root, 0)]);
        for (down, up) in [(true, false), (false, true), (true, true)] {
            let mut queue: VecDeque<Uuid> =
                if down && up { layers.keys().copied().collect() } else { VecDeque::from([self.root]) };
            while let Some(at) = queue.pop_front() {
                let layer = layers.get(&at).copied().unwrap_or_default();
                for relation in &self.relations {
                    let (other, step) = match (relation.from == at, relation.to == at) {
                        (true, _) if down => (relation.to, -1),
                        (_, true) if up => (relation.from, 1),
                        _ => continue,
                    };
                    if let Entry::Vacant(place) = layers.entry(other) {
                        place.insert(layer + step);
                        queue.push_back(other);
                    }
                }
            }
        }
        layers
    }

    fn find(&self, id: Uuid) -> Option<&Related> {
        self.updates.iter().find(|known| known.id == id)
    }

    fn title(&self, id: Uuid) -> String {
        self.find(id)
            .map(|known| known.title.clone())
            .filter(|title| !title.is_empty())
            .unwrap_or_else(|| id.to_string())
    }
}

/// The graph, and all of it as rows.
pub(super) fn show(cx: &Cx, graph: &Graph, update: &UpdateDetail) -> Markup {
    if graph.relations.is_empty() {
        return html! { section.panel { p { (t::no_relations(cx)) } } };
    }
    html! {
        section.panel {
            form.inline method="get" action=(cx.address.path()) {
                input type="hidden" name="tab" value="relations";
                label { (t::relation_depth(cx)) " "
                    select name="depth" data-submit {
                        @for steps in DEPTHS { option value=(steps) selected[steps == depth(cx)] { (steps) } }
                    }
                }
                button type="submit" data-noscript { (crate::texts::common::show(cx)) }
            }
            (drawn(cx, graph))
            @if graph.truncated { p.quiet { (t::relations_truncated(cx, MOST)) } }
            @if update.prerequisites.iter().any(|clause| clause.len() > 1) { p.quiet { (t::clauses(cx)) } }
        }
        (rows(cx, graph).render())
    }
}

/// The relations as CSV.
pub(super) fn csv(cx: &Cx, graph: &Graph) -> Response {
    rows(cx, graph).csv()
}

fn drawn(cx: &Cx, graph: &Graph) -> Markup {
    let layers = graph.layers();
    let shown = |layer: i32| (-DRAWN..=DRAWN).contains(&layer);
    let lowest = layers.values().copied().filter(|layer| shown(*layer)).min().unwrap_or_default();
    let highest = layers.values().copied().filter(|layer| shown(*layer)).max().unwrap_or_default();
    let headings: Vec<String> = (lowest..=highest).map(|layer| heading(cx, layer)).collect();
    let mut places = BTreeMap::new();
    let mut nodes = Vec::new();
    for one in &graph.updates {
        let Some(layer) = layers.get(&one.id).copied().filter(|layer| shown(*layer)) else { continue };
        places.insert(one.id, (nodes.len(), layer));
        let current = one.id == graph.root;
        let label = match how(cx, graph, one.id) {
            Some(how) => format!("{how}: {}", graph.title(one.id)),
            None => graph.title(one.id),
        };
        let link = (!current).then(|| address(one.id).to_string());
        nodes.push(Node { layer: usize::try_from(layer - lowest).unwrap_or_default(), label, link, current });
    }
    let edges: Vec<Edge> = graph
        .relations
        .iter()
        .filter_map(|relation| {
            let ((from, right), (to, left)) = (places.get(&relation.from)?, places.get(&relation.to)?);
            // lines go from what is built on to what builds on it, from the left to the right
            (left < right).then_some(Edge { from: *to, to: *from })
        })
        .collect();
    chart::graph(cx, t::tab_relations(cx), &headings, &nodes, &edges)
}

fn heading(cx: &Cx, layer: i32) -> String {
    match layer {
        0 => t::layer_this(cx).to_owned(),
        -1 => t::layer_before(cx).to_owned(),
        1 => t::layer_after(cx).to_owned(),
        _ if layer < 0 => t::layer_farther_before(cx).to_owned(),
        _ => t::layer_farther_after(cx).to_owned(),
    }
}

/// What an update is to the root, if one of both says something of the other.
fn how(cx: &Cx, graph: &Graph, id: Uuid) -> Option<String> {
    let relation = graph.relations.iter().find(|relation| {
        id != graph.root
            && ((relation.from == graph.root && relation.to == id)
                || (relation.to == graph.root && relation.from == id))
    })?;
    Some(if relation.from == graph.root {
        t::relation_out(cx, &relation.kind)
    } else {
        t::relation_in(cx, &relation.kind)
    })
}

fn address(id: Uuid) -> Address {
    Address::new(path(&["updates", &id.to_string()])).with("tab", "relations")
}

fn rows<'a>(cx: &'a Cx, graph: &'a Graph) -> Grid<'a, Relation> {
    let named = move |id: Uuid| {
        let known = graph.find(id);
        html! {
            a href=(address(id)) { (graph.title(id)) }
            @if known.is_some_and(|known| known.declined) { " " (badge(Tone::Plain, t::mark_declined(cx))) }
            @if known.is_some_and(|known| known.expired) { " " (badge(Tone::Bad, t::mark_expired(cx))) }
        }
    };
    let columns = vec![
        Column::new("from", t::relation_from(cx), move |one: &Relation| named(one.from))
            .text(|one| graph.title(one.from))
            .wide()
            .narrow(),
        Column::new("kind", t::relation_kind(cx), |one: &Relation| html! { (t::relation_out(cx, &one.kind)) })
            .text(|one| t::relation_out(cx, &one.kind))
            .narrow(),
        Column::new("to", t::relation_to(cx), move |one: &Relation| named(one.to))
            .text(|one| graph.title(one.to))
            .wide()
            .narrow(),
    ];
    Grid::new(cx, "relations", t::tab_relations(cx), columns, &graph.relations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_on_lies_left_of_what_builds_on_it() {
        let [old, root, new, newest] = [1_u128, 2, 3, 4].map(Uuid::from_u128);
        let relation = |kind: &str, from, to| Relation { kind: kind.to_owned(), from, to };
        let graph = Graph {
            root,
            relations: vec![
                relation("supersedes", root, old),
                relation("supersedes", new, root),
                relation("supersedes", newest, new),
                relation("supersedes", newest, old),
            ],
            ..Graph::default()
        };
        assert_eq!(graph.layers(), BTreeMap::from([(old, -1), (root, 0), (new, 1), (newest, 2)]));
    }
}
