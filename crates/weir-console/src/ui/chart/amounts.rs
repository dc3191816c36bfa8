//! Bars below each other: how much there is of each of several things, and of what it consists.

use maud::{Markup, html};

use super::figure;
use crate::{cx::Cx, texts::common as t};

/// A piece of a bar.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The class of its colour, `state-installed` or `tone-good`.
    pub(crate) class: String,
    /// Its name.
    pub(crate) label: String,
    /// How much.
    pub(crate) amount: u64,
}

impl Piece {
    /// A piece.
    pub(crate) fn new(class: &str, label: impl Into<String>, amount: u64) -> Self {
        Self { class: class.to_owned(), label: label.into(), amount }
    }
}

/// A bar.
#[derive(Clone, Debug)]
pub(crate) struct Amount {
    /// What it is of, written before it.
    pub(crate) label: String,
    /// Where that leads.
    pub(crate) link: Option<String>,
    /// Of what it consists, from the left.
    pub(crate) pieces: Vec<Piece>,
}

impl Amount {
    fn total(&self) -> u64 {
        self.pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.amount))
    }
}

const WIDTH: f64 = 1000.0;

/// Bars on one scale, the largest as wide as there is room. Pieces of one name are of one colour; more than one name is listed below.
pub(crate) fn amounts(cx: &Cx, title: &str, bars: &[Amount], shown: impl Fn(u64) -> String) -> Markup {
    let most = bars.iter().map(Amount::total).max().unwrap_or_default().max(1);
    let mut names: Vec<(&str, &str)> = Vec::new();
    for piece in bars.iter().flat_map(|bar| &bar.pieces) {
        if !names.iter().any(|(known, _)| *known == piece.label) {
            names.push((&piece.label, &piece.class));
        }
    }
    let drawing = html! {
        ol.amounts {
            @for bar in bars {
                li {
                    span.name title=(bar.label) {
                        @if let Some(link) = &bar.link { a href=(link) { (bar.label) } } @else { (bar.label) }
                    }
                    svg.bar viewBox={ "0 0 " (WIDTH) " 12" } width="100%" height="12" preserveAspectRatio="none" role="img"
                        aria-label={ (bar.label) ": " (shown(bar.total())) } {
                        @for (x, width, piece) in placed(bar, most) {
                            rect.{ "fill " (piece.class) } x=(x) y="0" width=(width) height="12" { title { (piece.label) ": " (shown(piece.amount)) } }
                        }
                    }
                    span.number { (shown(bar.total())) }
                }
            }
        }
        @if names.len() > 1 {
            ul.key {
                @for (name, class) in &names {
                    li { svg width="10" height="10" aria-hidden="true" { rect.{ "fill " (class) } width="10" height="10" rx="2" {} } (name) }
                }
            }
        }
    };
    let heads: Vec<String> =
        std::iter::once(t::what_head(cx).to_owned()).chain(names.iter().map(|(name, _)| (*name).to_owned())).collect();
    let rows: Vec<Vec<String>> = bars
        .iter()
        .map(|bar| {
            let cells = names.iter().map(|(name, _)| {
                bar.pieces.iter().find(|piece| piece.label == *name).map_or_else(String::new, |it| shown(it.amount))
            });
            std::iter::once(bar.label.clone()).chain(cells).collect()
        })
        .collect();
    figure(cx, title, &drawing, &heads, &rows)
}

/// Where each piece begins, and how wide it is. What is there is seen, however little it is.
fn placed(bar: &Amount, most: u64) -> Vec<(f64, f64, &Piece)> {
    let mut at = 0.0;
    let there = bar.pieces.iter().filter(|piece| piece.amount > 0);
    let pieces = there.map(|piece| {
        let width = (piece.amount as f64 / most as f64 * WIDTH).max(3.0).min(WIDTH - at);
        let place = (at, width.max(0.0), piece);
        at += width;
        place
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other_and_are_seen() {
        let bar = Amount {
            label: "x".to_owned(),
            link: None,
            pieces: vec![Piece::new("a", "a", 1), Piece::new("b", "b", 0), Piece::new("c", "c", 999_999)],
        };
        let placed = placed(&bar, bar.total());
        assert_eq!(placed.len(), 2);
        assert_eq!((placed[0].0, placed[0].1, placed[1].0), (0.0, 3.0, 3.0));
        assert!(placed[1].0 + placed[1].1 <= WIDTH);
    }
}
