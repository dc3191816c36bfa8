//! The answer to a report as a grid: cells by the kind of their column, links to what a row is about, and to the reports that go into
//! detail about it.

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};
use weir_api::report::{Report, ReportColumn, ReportDrill, ReportResult};

use crate::{
    address::{Address, path},
    cx::Cx,
    screens::infrastructure::span,
    texts::reports as t,
    ui::{
        self,
        badge::{State, Tone, badge},
        chart,
        grid::{Column, Grid},
    },
};

/// A row of REST.
pub(super) type Row = Map<String, Value>;

/// Columns in the address, by their place. A report has fewer.
const KEYS: [&str; 24] = [
    "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17",
    "c18", "c19", "c20", "c21", "c22", "c23", "c24",
];
/// Columns of ids, with those of the names of the same things.
const NAMED: [(&str, &str); 6] = [
    ("computer", "name"),
    ("update", "title"),
    ("collection", "collection_name"),
    ("group", "group_name"),
    ("deployment", "deployment_name"),
    ("site_id", "site"),
];

/// What the cells of an answer are made of.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    /// The context.
    pub(super) cx: &'a Cx,
    /// What was asked.
    pub(super) report: &'a Report,
    /// All reports, of which some go into detail.
    pub(super) all: &'a [Report],
    /// The answer.
    pub(super) result: &'a ReportResult,
}

impl<'a> Sheet<'a> {
    /// The grid.
    pub(super) fn grid(self) -> Grid<'a, Row> {
        let columns = self.result.columns.iter().zip(KEYS).map(|(column, key)| self.column(column, key));
        let mut columns: Vec<Column<'a, Row>> = columns.collect();
        if !self.report.drill.is_empty() {
            columns.push(Column::new("detail", t::detail(self.cx), move |row: &Row| self.drills(row)).narrow());
        }
        Grid::new(self.cx, "report", self.result.title.clone(), columns, &self.result.rows)
            .total(self.result.total)
            .empty(html! { p { (t::no_rows(self.cx)) } })
    }

    fn has(self, id: &str) -> bool {
        self.result.columns.iter().any(|column| column.id == id)
    }

    fn column(self, column: &'a ReportColumn, key: &'static str) -> Column<'a, Row> {
        let is_name = NAMED.iter().any(|(id, name)| *name == column.id && self.has(id));
        let is_named = NAMED.iter().any(|(id, name)| *id == column.id && self.has(name));
        let label = if column.title.is_empty() { column.id.clone() } else { column.title.clone() };
        let made = Column::new(key, label, move |row: &Row| self.cell(column, row));
        let made = made.text(move |row: &Row| text(row.get(&column.id)));
        let made = if matches!(column.kind.as_str(), "bytes" | "count" | "duration" | "percent") {
            made.numeric().narrow()
        } else {
            made
        };
        let made =
            if is_name || matches!(column.id.as_str(), "title" | "item" | "state") { made.narrow() } else { made };
        let made = if column.id == "title" || column.id == "detail" { made.wide() } else { made };
        if is_named { made.hidden() } else { made }
    }

    fn cell(self, column: &ReportColumn, row: &Row) -> Markup {
        let cx = self.cx;
        let value = row.get(&column.id).unwrap_or(&Value::Null);
        let number = value.as_u64();
        match (column.kind.as_str(), number, value.as_str()) {
            (_, _, None) if value.is_null() => ui::none(cx),
            ("bytes", Some(number), _) => html! { (ui::bytes(cx, number)) },
            ("count", Some(number), _) => match self.counted(column, row).filter(|_| number > 0) {
                Some(address) => html! { a href=(address) { (ui::number(cx, number)) } },
                None => html! { span.quiet[number == 0] { (ui::number(cx, number)) } },
            },
            ("duration", Some(seconds), _) => html! { (span(cx, seconds)) },
            ("percent", ..) => value.as_f64().map_or_else(
                || ui::none(cx),
                |percent| html! { (ui::percent(cx, percent)) (chart::meter(cx, &column.title, percent, None)) },
            ),
            ("time", _, Some(text)) => {
                text.parse::<Timestamp>().map_or_else(|_| html! { (text) }, |at| ui::time(cx, at))
            }
            ("state", _, Some(word)) => state(cx, word),
            (kind, _, Some(text)) => Self::named(column, row, text, kind == "id"),
            _ => html! { (text(Some(value))) },
        }
    }

    /// A name or an id, with a link to what it is of.
    fn named(column: &ReportColumn, row: &Row, text: &str, code: bool) -> Markup {
        let of = NAMED.iter().find(|(_, name)| *name == column.id).map_or(column.id.as_str(), |(id, _)| *id);
        let id = if of == column.id { Some(text) } else { row.get(of).and_then(Value::as_str) };
        let address = id.and_then(|id| object(of, id));
        let shown = if code {
            html! { code { (text) } }
        } else {
            html! { (text) }
        };
        html! { @if let Some(address) = address { a href=(address) { (shown) } } @else { (shown) } }
    }

    /// Where the rows behind a count are: a report of details whose parameter `state` has the column as a word.
    fn counted(self, column: &ReportColumn, row: &Row) -> Option<Address> {
        self.report.drill.iter().find_map(|drill| {
            let target = self.all.iter().find(|report| report.id == drill.report)?;
            let state = target.parameters.iter().find(|parameter| parameter.name == "state")?;
            let fits = state.choices.contains(&column.id) && !drill.from.contains_key("state");
            let address = self.drill(drill, row).filter(|_| fits)?;
            Some(address.with("state", &column.id))
        })
    }

    /// Where a report that goes into detail about a row is.
    fn drill(self, drill: &ReportDrill, row: &Row) -> Option<Address> {
        let target = self.all.iter().find(|report| report.id == drill.report)?;
        let mut address = Address::new(path(&["reports", &target.id]));
        for (name, value) in self.result.parameters.iter().filter(|(_, value)| !value.is_empty()) {
            if target.parameters.iter().any(|parameter| parameter.name == *name) {
                address = address.with(name, value);
            }
        }
        for (name, column) in &drill.from {
            let value = text(row.get(column));
            if value.is_empty() {
                return None;
            }
            address = address.with(name, value);
        }
        Some(address)
    }

    fn drills(self, row: &Row) -> Markup {
        html! {
            @for drill in &self.report.drill {
                @if let (Some(address), Some(target)) = (self.drill(drill, row), self.all.iter().find(|report| report.id == drill.report)) {
                    a href=(address) title=(target.title) { (target.number) span.hide lang="en" { " " (target.title) } } " "
                }
            }
        }
    }
}

/// A state: those of updates have their colours, others a word.
fn state(cx: &Cx, word: &str) -> Markup {
    if let Some(state) = State::ALL.into_iter().find(|state| state.key() == word) {
        return state.badge(cx);
    }
    badge(tone(word), &t::words(cx, word))
}

/// The tone of a word of REST for how something stands.
pub(super) fn tone(word: &str) -> Tone {
    match word {
        "success" | "succeeded" | "compliant" | "completed" | "active" => Tone::Good,
        "error" | "failed" | "required_after_deadline" | "not_sent" => Tone::Bad,
        "required_before_deadline" => Tone::Warn,
        "in_progress" | "activated" | "waiting_for_window" | "not_available_yet" | "waiting_for_content" => Tone::Busy,
        _ => Tone::Plain,
    }
}

/// The page of what an id is of.
fn object(of: &str, id: &str) -> Option<String> {
    Some(match of {
        "computer" => path(&["computers", id]),
        "update" => path(&["updates", id]),
        "collection" => path(&["computers", "collections", id]),
        "group" => path(&["updates", "groups", id]),
        "deployment" => path(&["deployments", id]),
        "code" | "error" => path(&["computers", "errors", id]),
        _ => return None,
    })
}

/// A value as a file has it.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
