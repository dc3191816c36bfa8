//! The figure of an answer, where one helps: which one, the columns decide.

use maud::Markup;
use serde_json::Value;

use super::sheet::{Row, Sheet, text, tone};
use crate::{
    texts::reports as t,
    ui::{
        self,
        badge::State,
        chart::{self, Amount, Part, Piece},
    },
};

/// Bars of a figure; the table below has all rows.
const BARS: usize = 15;
/// Columns of counts that are ranked by, first come first.
const RANKED: [&str; 6] = ["failed", "missing", "computers", "needed", "files", "updates"];
/// Columns that name a row, first come first.
const NAMES: [&str; 9] =
    ["title", "group_name", "collection_name", "name", "site", "item", "deployment_name", "code", "what"];

/// The figure of an answer; none where rows are single computers, or too few to compare.
pub(super) fn figure(sheet: Sheet<'_>) -> Option<Markup> {
    let result = sheet.result;
    let has = |id: &str| result.columns.iter().any(|column| column.id == id);
    if result.rows.is_empty() || has("computer") {
        return None;
    }
    let counts: Vec<&str> =
        result.columns.iter().filter(|column| column.kind == "count").map(|column| column.id.as_str()).collect();
    let name = NAMES.into_iter().find(|name| has(name));
    let states = State::ALL.into_iter().filter(|state| counts.contains(&state.key())).count();
    match name {
        None if has("state") && has("computers") => Some(whole(sheet)),
        Some(name) if has("state") && has("computers") => Some(by_state(sheet, name)),
        Some(name) if states > 2 => Some(compositions(sheet, name)),
        Some(name) => {
            let ranked = RANKED.into_iter().find(|id| counts.contains(id))?;
            (result.rows.len() > 1).then(|| ranking(sheet, name, ranked))
        }
        None => None,
    }
}

fn count(row: &Row, id: &str) -> u64 {
    row.get(id).and_then(Value::as_u64).unwrap_or_default()
}

fn class(word: &str) -> String {
    let state = State::ALL.into_iter().find(|state| state.key() == word);
    state.map_or_else(|| format!("tone-{}", tone(word).class()), |state| format!("state-{}", state.key()))
}

fn label(sheet: Sheet<'_>, word: &str) -> String {
    let state = State::ALL.into_iter().find(|state| state.key() == word);
    state.map_or_else(|| t::words(sheet.cx, word), |state| state.label(sheet.cx))
}

/// Rows are the parts of a whole: one bar.
fn whole(sheet: Sheet<'_>) -> Markup {
    let parts: Vec<Part> = sheet
        .result
        .rows
        .iter()
        .map(|row| {
            let word = text(row.get("state"));
            Part { class: class(&word), label: label(sheet, &word), count: count(row, "computers"), link: None }
        })
        .collect();
    chart::stacked(sheet.cx, t::computers(sheet.cx), &parts)
}

/// Several rows for each name, one for each state.
fn by_state(sheet: Sheet<'_>, name: &str) -> Markup {
    let mut bars: Vec<Amount> = Vec::new();
    for row in &sheet.result.rows {
        let (named, word) = (text(row.get(name)), text(row.get("state")));
        let piece = Piece::new(&class(&word), label(sheet, &word), count(row, "computers"));
        match bars.iter_mut().find(|bar| bar.label == named) {
            Some(bar) => bar.pieces.push(piece),
            None => bars.push(Amount { label: named, link: None, pieces: vec![piece] }),
        }
    }
    drawn(sheet, bars)
}

/// Each row has how many are in which state.
fn compositions(sheet: Sheet<'_>, name: &str) -> Markup {
    let has = |id: &str| sheet.result.columns.iter().any(|column| column.id == id);
    let bars = sheet.result.rows.iter().map(|row| {
        let well = (!has("installed") && has("compliant"))
            .then(|| Piece::new("state-installed", t::words(sheet.cx, "compliant"), count(row, "compliant")));
        let states = State::ALL
            .into_iter()
            .filter(|state| has(state.key()))
            .map(|state| Piece::new(&format!("state-{}", state.key()), state.label(sheet.cx), count(row, state.key())));
        Amount { label: text(row.get(name)), link: None, pieces: well.into_iter().chain(states).collect() }
    });
    drawn(sheet, bars.collect())
}

/// Each row has one count that matters.
fn ranking(sheet: Sheet<'_>, name: &str, ranked: &str) -> Markup {
    let column = sheet.result.columns.iter().find(|column| column.id == ranked);
    let title = column.map_or(ranked, |column| column.title.as_str());
    let class = if matches!(ranked, "failed") { "tone-bad" } else { "tone-busy" };
    let bars = sheet.result.rows.iter().map(|row| {
        let pieces = vec![Piece::new(class, title, count(row, ranked))];
        Amount { label: text(row.get(name)), link: None, pieces }
    });
    drawn(sheet, bars.collect())
}

fn drawn(sheet: Sheet<'_>, mut bars: Vec<Amount>) -> Markup {
    let cx = sheet.cx;
    let rows = bars.len();
    bars.truncate(BARS);
    let title = if rows > BARS {
        t::figure_first(cx, ui::number(cx, BARS as u64), ui::number(cx, rows as u64))
    } else {
        t::figure(cx).to_owned()
    };
    chart::amounts(cx, &title, &bars, |amount| ui::number(cx, amount))
}
