//! Figures as SVG, made here: small, labelled directly, coloured by class, each with a table of the same.

mod amounts;
mod bars;
mod graph;
mod heat;
mod lines;

pub(crate) use amounts::{Amount, Piece, amounts};
pub(crate) use bars::{Part, Step, meter, stacked, states, steps};
pub(crate) use graph::{Edge, Node, TreeNode, graph, tree};
pub(crate) use heat::heat;
pub(crate) use lines::{Series, spark, trend};

use maud::{Markup, html};

use crate::{cx::Cx, texts::common as t};

/// A figure with its title, and below it the table that says the same.
fn figure(cx: &Cx, title: &str, drawing: &Markup, heads: &[String], rows: &[Vec<String>]) -> Markup {
    html! {
        figure.chart {
            figcaption { (title) }
            (drawing)
            details.data {
                summary { (t::as_table(cx)) }
                table {
                    caption.hide { (title) }
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (at, cell) in row.iter().enumerate() {
                                    @if at == 0 { th scope="row" { (cell) } } @else { td.number { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A text cut to so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
