//! Relations: a layered graph, and a tree.

use maud::{Markup, html};

use super::{cut, figure};
use crate::{cx::Cx, texts::common as t};

/// A box of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The column that it stands in, from the left.
    pub(crate) layer: usize,
    /// What is written in it.
    pub(crate) label: String,
    /// Where it leads.
    pub(crate) link: Option<String>,
    /// It is what the page is about.
    pub(crate) current: bool,
}

/// A line from one box to another, by their numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// From.
    pub(crate) from: usize,
    /// To.
    pub(crate) to: usize,
}

const BOX: (f64, f64) = (190.0, 30.0);
const GAP: (f64, f64) = (60.0, 10.0);
/// Boxes of a column that are drawn; the others are counted.
const MOST: usize = 12;

/// Boxes in columns with lines between them. Each column has a heading.
pub(crate) fn graph(cx: &Cx, title: &str, layers: &[String], nodes: &[Node], edges: &[Edge]) -> Markup {
    let mut places: Vec<Option<(f64, f64)>> = Vec::with_capacity(nodes.len());
    let mut used = vec![0_usize; layers.len()];
    for node in nodes {
        let Some(row) = used.get_mut(node.layer) else {
            places.push(None);
            continue;
        };
        let place =
            (*row < MOST).then_some((node.layer as f64 * (BOX.0 + GAP.0), 24.0 + *row as f64 * (BOX.1 + GAP.1)));
        *row += 1;
        places.push(place);
    }
    let rows = used.iter().copied().max().unwrap_or_default();
    let height = 30.0 + (rows.min(MOST) as f64 + f64::from(u8::from(rows > MOST))) * (BOX.1 + GAP.1);
    let width = layers.len() as f64 * (BOX.0 + GAP.0) - GAP.0;
    let place = |at: usize| places.get(at).copied().flatten();
    let drawing = html! {
        div.scroll {
            svg.graph viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="group" aria-label=(title) {
                @for (layer, name) in layers.iter().enumerate() {
                    text.axis x=(layer as f64 * (BOX.0 + GAP.0)) y="12" { (name) }
                    @if let Some(more) = used.get(layer).and_then(|used| used.checked_sub(MOST)).filter(|more| *more > 0) {
                        text.axis x=(layer as f64 * (BOX.0 + GAP.0)) y=(height - 12.0) { (t::more(cx, more as u64)) }
                    }
                }
                @for edge in edges {
                    @if let (Some(from), Some(to)) = (place(edge.from), place(edge.to)) {
                        path.edge d={
                            "M" (from.0 + BOX.0) " " (from.1 + BOX.1 / 2.0)
                            " C" (from.0 + BOX.0 + GAP.0 / 2.0) " " (from.1 + BOX.1 / 2.0)
                            " " (to.0 - GAP.0 / 2.0) " " (to.1 + BOX.1 / 2.0)
                            " " (to.0) " " (to.1 + BOX.1 / 2.0)
                        } {}
                    }
                }
                @for (at, node) in nodes.iter().enumerate() {
                    @if let Some(place) = place(at) {
                        @if let Some(link) = &node.link { a href=(link) { (boxed(node, place)) } } @else { (boxed(node, place)) }
                    }
                }
            }
        }
    };
    let rows: Vec<Vec<String>> = nodes
        .iter()
        .map(|node| vec![node.label.clone(), layers.get(node.layer).cloned().unwrap_or_default()])
        .collect();
    let heads = [t::what_head(cx).to_owned(), t::relation_head(cx).to_owned()];
    figure(cx, title, &drawing, &heads, &rows)
}

fn boxed(node: &Node, (x, y): (f64, f64)) -> Markup {
    html! {
        g.node.current[node.current] {
            title { (node.label) }
            rect x=(x + 0.5) y=(y + 0.5) width=(BOX.0 - 1.0) height=(BOX.1 - 1.0) rx="4" {}
            text x=(x + 8.0) y=(y + 19.5) { (cut(&node.label, 27)) }
        }
    }
}

/// A branch of a tree.
#[derive(Clone, Debug)]
pub(crate) struct TreeNode {
    /// Its name, which what folds is called by.
    pub(crate) name: String,
    /// What it is: its name as a link, with badges and numbers.
    pub(crate) content: Markup,
    /// What is below it.
    pub(crate) children: Vec<TreeNode>,
}

/// A tree whose branches fold. It is a list, so that it reads as one.
pub(crate) fn tree(label: &str, nodes: &[TreeNode]) -> Markup {
    html! { div.tree role="group" aria-label=(label) { (branches(nodes, 0)) } }
}

/// Below this depth a tree is not shown any further.
const DEEPEST: u8 = 32;

fn branches(nodes: &[TreeNode], depth: u8) -> Markup {
    html! {
        ul {
            @for node in nodes {
                li {
                    // links do not lie inside what folds: each is pressed by itself
                    div.leaf { (node.content) }
                    @if !node.children.is_empty() && depth < DEEPEST {
                        details open[depth < 3] {
                            summary { span.hide { (node.name) } }
                            (branches(&node.children, depth + 1))
                        }
                    }
                }
            }
        }
    }
}
