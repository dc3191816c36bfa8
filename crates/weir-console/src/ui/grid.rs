//! The grid: a page of a list with order, columns, filters and facets in the address, selection, CSV of what is shown.
//!
//! Without script it is a page at a time; the module appends the pages that follow while one scrolls, keeps only those near the
//! window in the document, and remembers the selection while one pages.

use axum::response::{IntoResponse, Response};
use http::header;
use maud::{Markup, html};

use super::icon::Icon;
use crate::{address::Address, cx::Cx, texts::common as t, ui};

type Cell<'a, R> = Box<dyn Fn(&R) -> Markup + Send + Sync + 'a>;
type Plain<'a, R> = Box<dyn Fn(&R) -> String + Send + Sync + 'a>;

/// A column.
pub(crate) struct Column<'a, R> {
    key: &'static str,
    label: String,
    cell: Cell<'a, R>,
    text: Option<Plain<'a, R>>,
    sort: Option<&'static str>,
    number: bool,
    narrow: bool,
    hidden: bool,
    wide: bool,
}

impl<'a, R> Column<'a, R> {
    /// A column; `key` is its name in the address.
    pub(crate) fn new(
        key: &'static str,
        label: impl Into<String>,
        cell: impl Fn(&R) -> Markup + Send + Sync + 'a,
    ) -> Self {
        Self {
            key,
            label: label.into(),
            cell: Box::new(cell),
            text: None,
            sort: None,
            number: false,
            narrow: false,
            hidden: false,
            wide: false,
        }
    }

    /// A column of whole numbers; 0 is shown faintly.
    pub(crate) fn number(
        cx: &'a Cx,
        key: &'static str,
        label: impl Into<String>,
        value: impl Fn(&R) -> u64 + Send + Sync + Clone + 'a,
    ) -> Self {
        let shown = value.clone();
        let column = Self::new(key, label, move |row| {
            let number = shown(row);
            html! { span.quiet[number == 0] { (ui::number(cx, number)) } }
        });
        Self { number: true, ..column.text(move |row| value(row).to_string()) }
    }

    /// Its cells are read as numbers are: they stand to the right.
    pub(crate) fn numeric(mut self) -> Self {
        self.number = true;
        self
    }

    /// What CSV has; without it the column is not in CSV.
    pub(crate) fn text(mut self, text: impl Fn(&R) -> String + Send + Sync + 'a) -> Self {
        self.text = Some(Box::new(text));
        self
    }

    /// REST sorts by this field.
    pub(crate) fn sort(mut self, field: &'static str) -> Self {
        self.sort = Some(field);
        self
    }

    /// It stays at 390 pixels.
    pub(crate) fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    /// It is shown only when chosen.
    pub(crate) fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// It takes the room that is left.
    pub(crate) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

/// Something that is done with the rows that are selected: a form that posts their keys as `id` to `to`.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// Its name.
    pub(crate) label: String,
    /// Where the form goes; it answers a page that asks for confirmation.
    pub(crate) to: &'static str,
    /// The value of `act`.
    pub(crate) act: &'static str,
}

/// Values of a property with the number of rows that have each; chosen ones narrow the list.
#[derive(Clone, Debug)]
pub(crate) struct FacetGroup {
    /// Its name.
    pub(crate) label: String,
    /// The field; the address has `f=FIELD:VALUE`.
    pub(crate) field: String,
    /// Value, name, rows.
    pub(crate) values: Vec<(String, String, u64)>,
}

/// A grid in the making.
pub(crate) struct Grid<'a, R> {
    cx: &'a Cx,
    id: &'static str,
    caption: String,
    columns: Vec<Column<'a, R>>,
    rows: &'a [R],
    next: Option<&'a str>,
    total: Option<u64>,
    key: Option<Plain<'a, R>>,
    actions: Vec<Action>,
    filters: Option<Markup>,
    facets: Vec<FacetGroup>,
    empty: Markup,
}

impl<'a, R> Grid<'a, R> {
    /// A grid of these rows. The caption is for those who hear it.
    pub(crate) fn new(
        cx: &'a Cx,
        id: &'static str,
        caption: impl Into<String>,
        columns: Vec<Column<'a, R>>,
        rows: &'a [R],
    ) -> Self {
        Self {
            cx,
            id,
            caption: caption.into(),
            columns,
            rows,
            next: None,
            total: None,
            key: None,
            actions: Vec::new(),
            filters: None,
            facets: Vec::new(),
            empty: html! { p { (t::nothing(cx)) } },
        }
    }

    /// The cursor of the page that follows.
    pub(crate) fn next(mut self, next: Option<&'a str>) -> Self {
        self.next = next;
        self
    }

    /// How many rows there are in all.
    pub(crate) fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Rows can be selected, and this can be done with them.
    pub(crate) fn select(mut self, key: impl Fn(&R) -> String + Send + Sync + 'a, actions: Vec<Action>) -> Self {
        self.key = Some(Box::new(key));
        self.actions = actions;
        self
    }

    /// The fields of the filter bar; the rest of the address stays.
    pub(crate) fn filters(mut self, filters: Markup) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Facets.
    pub(crate) fn facets(mut self, facets: Vec<FacetGroup>) -> Self {
        self.facets = facets;
        self
    }

    /// What is said when there is nothing.
    pub(crate) fn empty(mut self, empty: Markup) -> Self {
        self.empty = empty;
        self
    }

    fn shown(&self) -> Vec<&Column<'a, R>> {
        let chosen: Vec<&str> = self.cx.address.values("col").collect();
        let shown: Vec<_> = self.columns.iter().filter(|column| chosen.contains(&column.key)).collect();
        if shown.is_empty() { self.columns.iter().filter(|column| !column.hidden).collect() } else { shown }
    }

    /// Makes it.
    pub(crate) fn render(&self) -> Markup {
        let selectable = self.key.is_some() && !self.actions.is_empty() && !self.rows.is_empty();
        html! {
            div.grid.with-facets[!self.facets.is_empty()] id=(self.id) data-grid {
                div.bar {
                    @if let Some(filters) = &self.filters {
                        form.filters method="get" action=(self.cx.address.path()) role="search" {
                            (filters)
                            (self.kept(filters))
                            button type="submit" { (t::filter(self.cx)) }
                        }
                    }
                    p.count aria-live="polite" {
                        @if let Some(total) = self.total { (t::rows(self.cx, total)) }
                        @else if self.next.is_none() { (t::rows(self.cx, self.rows.len() as u64)) }
                    }
                    (self.chooser())
                    @if self.columns.iter().any(|column| column.text.is_some()) {
                        a.plain.button href=(self.cx.address.first().with("format", "csv")) download { (Icon::Download.show()) "CSV" }
                    }
                }
                @if !self.facets.is_empty() { (self.facet_bar()) }
                div.body {
                    @if selectable { (self.selection()) }
                    @if self.rows.is_empty() { div.empty { (self.empty) } }
                    @else { (self.table(selectable)) (self.pager()) }
                }
            }
        }
    }

    /// What of the address a filter form keeps: all but the names of its own fields, and the page.
    fn kept(&self, filters: &Markup) -> Markup {
        let own = |name: &str| filters.0.contains(&format!("name=\"{name}\""));
        html! {
            @for (name, value) in self.cx.address.pairs().iter().filter(|(name, _)| name != "cursor" && !own(name)) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }

    fn chooser(&self) -> Markup {
        let shown: Vec<&str> = self.shown().iter().map(|column| column.key).collect();
        html! {
            details.menu {
                summary.plain.button { (t::columns(self.cx)) }
                form.sheet method="get" action=(self.cx.address.path()) {
                    fieldset {
                        legend { (t::columns(self.cx)) }
                        @for column in &self.columns {
                            label.check { input type="checkbox" name="col" value=(column.key) checked[shown.contains(&column.key)]; (column.label) }
                        }
                    }
                    @for (name, value) in self.cx.address.pairs().iter().filter(|(name, _)| name != "col") {
                        input type="hidden" name=(name) value=(value);
                    }
                    button type="submit" { (t::apply(self.cx)) }
                    " " a href=(self.cx.address.without("col")) { (t::columns_default(self.cx)) }
                }
            }
        }
    }

    fn facet_bar(&self) -> Markup {
        let address = self.cx.address.first();
        let chosen: Vec<&str> = address.values("f").collect();
        html! {
            aside.facets aria-label=(t::facets(self.cx)) {
                details open[!chosen.is_empty()] {
                    summary { (t::facets(self.cx)) @if !chosen.is_empty() { " (" (chosen.len()) ")" } }
                    @if !chosen.is_empty() { p { a href=(address.without("f")) { (t::facets_clear(self.cx)) } } }
                    @for group in &self.facets {
                        h2 { (group.label) }
                        ul {
                            @for (value, name, rows) in &group.values {
                                @let term = format!("{}:{value}", group.field);
                                @let on = chosen.contains(&term.as_str());
                                li {
                                    a href=(if on { address.without_value("f", &term) } else { address.and("f", &term) }) aria-current=[on.then_some("true")] {
                                        span { (name) } span.number { (ui::short(self.cx, *rows)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn selection(&self) -> Markup {
        html! {
            form.selection id={ (self.id) "-form" } method="post" data-selection data-dialog {
                span.count data-selected=(t::selected_pattern(self.cx)) aria-live="polite" { (t::select_hint(self.cx)) }
                @if let Some(total) = self.total.filter(|total| *total > self.rows.len() as u64) {
                    label.check { input type="checkbox" name="all" value="1" data-all; (t::select_all(self.cx, total)) }
                }
                input type="hidden" name="from" value=(self.cx.address);
                @for action in &self.actions {
                    button type="submit" formaction=(action.to) name="act" value=(action.act) { (action.label) }
                }
                button.plain type="button" data-clear hidden { (t::select_none(self.cx)) }
            }
        }
    }

    fn table(&self, selectable: bool) -> Markup {
        let shown = self.shown();
        html! {
            div.scroll {
                table {
                    caption.hide { (self.caption) }
                    thead { tr {
                        @if selectable { th.pick scope="col" { span.hide { (t::select(self.cx)) } } }
                        @for column in &shown { (self.heading(column)) }
                    } }
                    tbody data-page=(self.cx.address) {
                        @for row in self.rows {
                            tr {
                                @if let (true, Some(key)) = (selectable, &self.key) {
                                    @let key = key(row);
                                    td.pick {
                                        input type="checkbox" name="id" value=(key) form={ (self.id) "-form" } aria-label=(t::select_row(self.cx));
                                    }
                                }
                                @for (at, column) in shown.iter().enumerate() {
                                    @let class = classes(column);
                                    @if at == 0 { th scope="row" class=(class) data-label=(column.label) { ((column.cell)(row)) } }
                                    @else { td class=(class) data-label=(column.label) { ((column.cell)(row)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn heading(&self, column: &Column<'a, R>) -> Markup {
        let now = self.cx.address.value("sort").unwrap_or_default();
        let (field, way) = now.split_once(':').unwrap_or((now, ""));
        let sorted = column.sort.filter(|own| *own == field);
        let ascending = way == "asc";
        html! {
            th scope="col" class=(classes(column)) aria-sort=[sorted.map(|_| if ascending { "ascending" } else { "descending" })] {
                div.size {
                    @if let Some(own) = column.sort {
                        @let turned = if sorted.is_some() && !ascending { "asc" } else { "desc" };
                        @let first = if sorted.is_none() && !column.number { "asc" } else { turned };
                        a href=(self.cx.address.first().with("sort", format!("{own}:{first}"))) {
                            (column.label)
                            @if sorted.is_some() { span aria-hidden="true" { (if ascending { " ▲" } else { " ▼" }) } }
                        }
                    } @else { (column.label) }
                }
            }
        }
    }

    fn pager(&self) -> Markup {
        let later = self.cx.address.value("cursor").is_some();
        html! {
            @if later || self.next.is_some() {
                nav.pager aria-label=(t::pages(self.cx)) {
                    @if later { a.button.plain href=(self.cx.address.first()) { (t::first_page(self.cx)) } }
                    @if let Some(next) = self.next {
                        a.button href=(self.cx.address.with("cursor", next)) rel="next" data-next { (t::next_page(self.cx)) }
                    }
                }
            }
        }
    }

    /// The columns that are shown, as CSV: a header, then these rows.
    pub(crate) fn csv(&self) -> Response {
        let shown: Vec<_> =
            self.shown().into_iter().filter_map(|column| Some((column, column.text.as_ref()?))).collect();
        let mut out = String::from("\u{feff}");
        line(&mut out, shown.iter().map(|(column, _)| column.label.clone()));
        for row in self.rows {
            line(&mut out, shown.iter().map(|(_, text)| text(row)));
        }
        let name = format!("attachment; filename=\"{}.csv\"", self.id);
        ([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], out)
            .into_response()
    }
}

/// Rows of a CSV file at most.
pub(crate) const CSV_ROWS: usize = 200_000;

/// Whether this request asks for CSV.
pub(crate) fn wants_csv(address: &Address) -> bool {
    address.value("format") == Some("csv")
}

fn classes<R>(column: &Column<'_, R>) -> String {
    let mut classes = format!("col-{}", column.key);
    for (is, class) in [(column.number, " number"), (column.narrow, " narrow"), (column.wide, " wide")] {
        if is {
            classes.push_str(class);
        }
    }
    classes
}

/// Whether a spreadsheet could take a cell for a formula, apostrophes and what cannot be seen in front of it aside. The rule is that of
/// the reports, which the console gets over REST only.
fn is_formula(text: &str) -> bool {
    let aside = |c: char| {
        c == '\'' || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fffd}')
    };
    let signs = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];
    text.trim_start_matches('\'').starts_with(['\t', '\r', '\n']) || text.trim_start_matches(aside).starts_with(signs)
}

/// A line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it, a number aside; control
/// characters other than tab and line breaks become U+FFFD.
fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(',');
        }
        let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
        let cell = cell.replace(strange, "\u{fffd}");
        let formula = is_formula(&cell) && cell.parse::<f64>().is_err();
        let cell = if formula { format!("'{cell}") } else { cell };
        if cell.contains([',', '"', '\n', '\r']) || cell.trim() != cell {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_quoted_and_never_a_formula() {
        let mut out = String::new();
        let cells = ["a,b", "say \"x\"", "=HYPERLINK(1)", "-5", "-x", "plain"];
        line(&mut out, cells.iter().map(|cell| (*cell).to_owned()));
        assert_eq!(out, "\"a,b\",\"say \"\"x\"\"\",'=HYPERLINK(1),-5,'-x,plain\r\n");
    }

    #[test]
    fn what_hides_a_formula_is_seen_through() {
        for text in [
            "=1",
            "+1+1",
            "-x",
            "@x",
            " =1",
            "\u{a0}=1",
            "'=1",
            "' =1",
            "\u{200b}=1",
            "\u{feff}=1",
            "\u{ff1d}1",
            "\u{ff0b}x",
            "\u{ff0d}x",
            "\u{ff20}x",
            "\u{2212}x",
            "\tx",
            "\rx",
            "\nx",
            "'\tx",
            "\u{0}=1",
        ] {
            let mut out = String::new();
            line(&mut out, std::iter::once(text.to_owned()));
            assert!(out.trim_start_matches('"').starts_with('\''), "{text:?}: {out:?}");
            assert!(!text.starts_with('\'') || out.trim_start_matches('"').starts_with("''"), "{text:?}: {out:?}");
        }
        for text in ["plain", "'quoted'", "a=b", "-5", "-5.5", "'", ""] {
            let mut out = String::new();
            line(&mut out, std::iter::once(text.to_owned()));
            assert_eq!(out, format!("{text}\r\n"));
        }
    }
}
