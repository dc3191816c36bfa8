//! Every report that can be asked for, by group.

use std::collections::HashMap;

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    list::ListQuery,
    report::{Report, ReportSchedule},
};

use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, reports as t},
    ui::{
        self,
        badge::{Tone, badge},
    },
};

/// Schedules that are counted by report.
const MOST: u32 = 1000;

/// The catalogue of reports, narrowed to what was searched for.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let query = ListQuery { cursor: None, limit: Some(MOST) };
    let (reports, schedules) = tokio::join!(
        cx.api.get::<List<Report>>("/reports", &()),
        cx.api.get::<List<ReportSchedule>>("/report-schedules", &query),
    );
    let reports = reports?.items;
    // who may not see schedules sees the reports all the same
    let mut scheduled: HashMap<String, u64> = HashMap::new();
    for schedule in schedules.map(|list| list.items).unwrap_or_default() {
        *scheduled.entry(schedule.report).or_default() += 1;
    }
    let text = cx.address.value("q").unwrap_or_default().to_lowercase();
    let found: Vec<&Report> = reports.iter().filter(|report| matches(report, &text)).collect();
    let mut groups: Vec<&str> = Vec::new();
    for report in &found {
        if !groups.contains(&report.group.as_str()) {
            groups.push(&report.group);
        }
    }
    let body = html! {
        (search(&cx))
        @if found.is_empty() {
            @let next = (!text.is_empty()).then_some((t::all_reports(&cx), "/reports"));
            (ui::empty(t::list_empty(&cx), next))
        }
        @for group in groups {
            section.panel {
                h2 { (t::group(&cx, group)) }
                ul.catalogue {
                    @for report in found.iter().filter(|report| report.group == group) {
                        (entry(&cx, report, scheduled.get(&report.id).copied().unwrap_or_default()))
                    }
                }
            }
        }
    };
    Page::new(&cx, t::title(&cx))
        .fact(t::all_reports(&cx), html! { (ui::number(&cx, reports.len() as u64)) })
        .body(body)
        .render()
        .await
}

/// All words of the search are somewhere in what the report says of itself.
fn matches(report: &Report, text: &str) -> bool {
    let said = format!("{} {} {} {}", report.number, report.id, report.title, report.description).to_lowercase();
    text.split_whitespace().all(|word| said.contains(word))
}

fn search(cx: &Cx) -> Markup {
    html! {
        form.inline method="get" action="/reports" role="search" {
            label.hide for="report-q" { (t::search_hint(cx)) }
            input #report-q type="search" name="q" value=[cx.address.value("q")] placeholder=(t::search_hint(cx)) maxlength="100";
            @if let Some(site) = cx.address.value("site") { input type="hidden" name="site" value=(site); }
            button type="submit" { (common::search(cx)) }
        }
    }
}

fn entry(cx: &Cx, report: &Report, scheduled: u64) -> Markup {
    let needs = report.parameters.iter().filter(|parameter| parameter.required);
    let needs: Vec<String> = needs.map(|parameter| t::parameter(cx, &parameter.name)).collect();
    html! {
        li {
            span.no { (report.number) }
            span lang="en" { a href=(cx.to(path(&["reports", &report.id]))) { (report.title) } }
            span.mark {
                @if !needs.is_empty() { (badge(Tone::Plain, &t::asks_for(cx, needs.join(", ")))) }
                @if scheduled > 0 { " " a href=(Address::new("/reports/schedules").with("report", &report.id)) { (t::scheduled(cx, scheduled)) } }
            }
            p lang="en" { (report.description) }
        }
    }
}
