//! Lines: shares over days.

use maud::{Markup, html};

use super::{cut, figure};
use crate::{cx::Cx, texts::common as t, ui};

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Its name, written at its end.
    pub(crate) label: String,
    /// A percentage for each day, none without a record.
    pub(crate) values: Vec<Option<f64>>,
}

const LEFT: f64 = 36.0;
const RIGHT: f64 = 500.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 150.0;
/// Lines that can be told apart.
const MOST: usize = 6;

/// Percentages over days. The scale begins below the lowest value, so that a percent more is seen, and says so.
pub(crate) fn trend(cx: &Cx, title: &str, days: &[String], series: &[Series]) -> Markup {
    let series: Vec<&Series> = series.iter().take(MOST).collect();
    let values = || series.iter().flat_map(|line| line.values.iter().flatten().copied());
    let lowest = values().fold(100.0_f64, f64::min);
    let floor = if values().next().is_none() { 0.0 } else { ((lowest - 2.0).max(0.0) / 10.0).floor() * 10.0 };
    let x = |day: usize| LEFT + (RIGHT - LEFT) * day as f64 / days.len().saturating_sub(1).max(1) as f64;
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value - floor) / (100.0 - floor);
    let middle = f64::midpoint(floor, 100.0);
    let ends = spread(
        &series.iter().map(|line| line.values.iter().rev().flatten().next().map(|value| y(*value))).collect::<Vec<_>>(),
    );
    let drawing = html! {
        svg.trend viewBox="0 0 640 176" role="img" aria-label=(title) {
            @for mark in [floor, middle, 100.0] {
                line.rule x1=(LEFT) x2=(RIGHT) y1=(y(mark)) y2=(y(mark)) {}
                text.axis x=(LEFT - 6.0) y=(y(mark) + 4.0) text-anchor="end" { (format!("{mark:.0}")) }
            }
            @if let (Some(first), Some(last)) = (days.first(), days.last()) {
                text.axis x=(LEFT) y="170" { (first) }
                text.axis x=(RIGHT) y="170" text-anchor="end" { (last) }
            }
            @for (at, line) in series.iter().enumerate() {
                g.{ "line-" (at) } {
                    @for piece in pieces(&line.values) {
                        polyline.stroke points=(piece.iter().map(|(day, value)| format!("{:.1},{:.1}", x(*day), y(*value))).collect::<Vec<_>>().join(" ")) {}
                        @if let [(day, value)] = piece.as_slice() { circle.dot cx=(x(*day)) cy=(y(*value)) r="2.5" {} }
                    }
                    @if let Some(Some(end)) = ends.get(at) {
                        text.name x=(RIGHT + 6.0) y=(end + 4.0) {
                            title { (line.label) }
                            (cut(&line.label, 16))
                            @if let Some(value) = line.values.iter().rev().flatten().next() { " " (ui::decimal(cx, *value)) }
                        }
                    }
                }
            }
        }
    };
    let rows: Vec<Vec<String>> = days
        .iter()
        .enumerate()
        .map(|(day, name)| {
            let shares = series.iter().map(|line| {
                line.values
                    .get(day)
                    .copied()
                    .flatten()
                    .map_or_else(|| t::none(cx).to_owned(), |value| ui::percent(cx, value))
            });
            std::iter::once(name.clone()).chain(shares).collect()
        })
        .collect();
    let heads: Vec<String> =
        std::iter::once(t::day_head(cx).to_owned()).chain(series.iter().map(|line| line.label.clone())).collect();
    figure(cx, title, &drawing, &heads, &rows)
}

/// A line without axes, for a cell or a tile. It says its last value.
pub(crate) fn spark(cx: &Cx, label: &str, values: &[Option<f64>]) -> Markup {
    let known = || values.iter().flatten().copied();
    let (low, high) = known().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let span = (high - low).max(0.001);
    let x = |at: usize| 1.0 + 98.0 * at as f64 / values.len().saturating_sub(1).max(1) as f64;
    let y = |value: f64| 22.0 - 20.0 * (value - low) / span;
    html! {
        @if let Some(last) = known().last() {
            svg.spark viewBox="0 0 100 24" width="100" height="24" role="img" aria-label={ (label) ": " (ui::decimal(cx, last)) } {
                @for piece in pieces(values) {
                    polyline.stroke points=(piece.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect::<Vec<_>>().join(" ")) {}
                }
            }
        }
    }
}

/// Runs of days with a record: a line is not drawn over days without one.
fn pieces(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut pieces = vec![Vec::new()];
    for (day, value) in values.iter().enumerate() {
        match (value, pieces.last_mut()) {
            (Some(value), Some(piece)) => piece.push((day, *value)),
            (None, Some(piece)) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Places labels at these heights so that none covers another.
fn spread(heights: &[Option<f64>]) -> Vec<Option<f64>> {
    const APART: f64 = 13.0;
    let mut order: Vec<(usize, f64)> =
        heights.iter().enumerate().filter_map(|(at, height)| height.map(|height| (at, height))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut placed = vec![None; heights.len()];
    let mut least = f64::MIN;
    for (at, height) in order {
        let height = height.max(least);
        least = height + APART;
        if let Some(place) = placed.get_mut(at) {
            *place = Some(height);
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_there_is_no_record() {
        assert_eq!(
            pieces(&[None, Some(1.0), Some(2.0), None, None, Some(3.0)]),
            [vec![(1, 1.0), (2, 2.0)], vec![(5, 3.0)]]
        );
        assert!(pieces(&[None, None]).is_empty());
    }

    #[test]
    fn names_at_the_ends_do_not_cover_each_other() {
        assert_eq!(spread(&[Some(50.0), None, Some(48.0)]), [Some(61.0), None, Some(48.0)]);
    }
}
