//! What went wrong on a computer, each code explained once.

use std::collections::BTreeMap;

use maud::{Markup, html};
use weir_api::{
    computer::ComputerDetail,
    computer::ComputerUpdate,
    failure::{ErrorDetail, ErrorQuery},
};

use super::super::{errors, rest};
use crate::{
    address::path,
    cx::Cx,
    texts::computers as t,
    ui::{self, badge::State},
};

/// Codes that are explained in full; the others say what they mean and lead to the rest.
const MOST: usize = 5;

/// The scan first, then updates by code.
pub(super) async fn show(cx: &Cx, computer: &ComputerDetail) -> Markup {
    let scan = computer.row.freshness.as_ref().and_then(|known| known.scan_error.clone());
    let mut by_code: BTreeMap<String, Vec<&ComputerUpdate>> = BTreeMap::new();
    let mut untold: Vec<&ComputerUpdate> = Vec::new();
    for update in super::failing(computer) {
        match &update.error {
            Some(code) => by_code.entry(code.clone()).or_default().push(update),
            None => untold.push(update),
        }
    }
    if let Some(code) = &scan {
        by_code.entry(code.clone()).or_default();
    }
    if by_code.is_empty() && untold.is_empty() {
        return ui::empty(t::no_errors_here(cx), None);
    }
    // the code of the scan first: without a scan nothing else is known
    let mut codes: Vec<&String> = by_code.keys().collect();
    codes.sort_by_key(|code| (scan.as_ref() != Some(code), std::cmp::Reverse(by_code.get(*code).map_or(0, Vec::len))));
    let questions = codes.iter().take(MOST).map(|code| {
        let query = ErrorQuery { collection: None, server: None, since: None };
        (path(&["compliance", "errors", code]), query)
    });
    let mut answers = rest::each::<ErrorQuery, ErrorDetail>(cx, questions.collect()).await;
    answers.resize_with(codes.len(), || None);
    html! {
        @for (code, answer) in codes.iter().zip(&answers) {
            @let updates = by_code.get(*code).map(Vec::as_slice).unwrap_or_default();
            section.panel {
                h2 {
                    a href=(path(&["computers", "errors", code])) { code { (code) } }
                    @if let Some(name) = answer.as_ref().and_then(|answer| answer.explanation.name.as_ref()) { " " (name) }
                }
                @if scan.as_ref() == Some(code) { p { strong { (t::scan_failed(cx)) } } }
                @match answer {
                    Some(answer) => (errors::code::explained(cx, &answer.explanation)),
                    None => @if let Some(meaning) = updates.iter().find_map(|update| update.error_meaning.as_ref()) { p lang="en" { (meaning) } },
                }
                (list(cx, updates))
            }
        }
        @if !untold.is_empty() {
            section.panel { h2 { (t::error_untold(cx)) } (list(cx, &untold)) }
        }
    }
}

fn list(cx: &Cx, updates: &[&ComputerUpdate]) -> Markup {
    html! {
        @if !updates.is_empty() {
            ul {
                @for update in updates {
                    li {
                        a href=(path(&["updates", &update.id.to_string()])) { (if update.title.is_empty() { update.id.to_string() } else { update.title.clone() }) }
                        " " (State::from(update.state).badge(cx))
                        @if let Some(since) = update.since { " " span.quiet { (ui::ago(cx, since)) } }
                    }
                }
            }
        }
    }
}
