//! Computers that are not what their ids say: several machines with one id, one machine with several.

use axum::{
    Form,
    response::{IntoResponse, Response},
};
use http::header;
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    freshness::{
        CloneCertainty, ClonedComputer, DuplicateComputer, DuplicateLikeness, DuplicateName, DuplicateStanding,
    },
    list::ListQuery,
    retirement::{RetirementPreview, RetirementQuery, RetirementRun},
    setting::{Setting, SettingChange, SettingChanged},
};

use super::{
    Part, at, link,
    stale::retirement::{Asked, due, retire},
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::computers as t,
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field},
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// What gives a machine an id of its own: the same text that the command line prints.
const SCRIPT: &str = include_str!("../../../../weir/src/commands/computers/new_id.ps1");
/// Its file.
const SCRIPT_NAME: &str = "new-id.ps1";
/// The page.
const HERE: &str = "/computers/duplicates";
/// The setting that says what happens to rows that were left behind.
const SETTING: &str = "/settings/computers.duplicates";

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let part = match cx.address.value("tab") {
        None => clones(cx).await?,
        Some("duplicates") => duplicates(cx, errors).await?,
        Some(_) => return Err(Failure::NotFound),
    };
    let body = match part {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    Page::new(cx, t::duplicates(cx))
        .tabs(vec![
            Tab::new(cx, "clones", true, t::tab_clones(cx)),
            Tab::new(cx, "duplicates", false, t::tab_duplicates(cx)),
        ])
        .body(body)
        .render()
        .await
}

/// The script, as a file.
pub(super) async fn script(_cx: Cx) -> Response {
    let name = format!("attachment; filename=\"{SCRIPT_NAME}\"");
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], SCRIPT)
        .into_response()
}

async fn clones(cx: &Cx) -> Result<Part, Failure> {
    let list = super::listed(cx, |cursor, limit| async move {
        cx.api.get::<List<ClonedComputer>>("/computers/clones", &ListQuery { cursor, limit }).await
    })
    .await?;
    let grid = Grid::new(cx, "clones", t::tab_clones(cx), clone_columns(cx), &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::clones_none(cx), None));
    let some = !list.items.is_empty();
    Ok(Part::of(cx, &grid, |grid| {
        html! {
            p.quiet { (t::clones_about(cx)) }
            (grid)
            section.panel {
                h2 { (t::script_title(cx)) }
                p { (t::script_about(cx)) }
                p { (t::script_untested(cx)) }
                p {
                    a.button.primary[some] href={ (HERE) "/" (SCRIPT_NAME) } download=(SCRIPT_NAME) { (t::script_download(cx)) } " "
                    button type="button" data-copy=(SCRIPT) data-copied=(crate::texts::common::copied(cx)) hidden { (t::script_copy(cx)) }
                }
                details { summary { (t::script_read(cx)) } pre.script tabindex="0" { (SCRIPT) } }
            }
        }
    }))
}

fn clone_columns(cx: &Cx) -> Vec<Column<'_, ClonedComputer>> {
    let columns = vec![
        Column::new("name", t::col_name(cx), |row: &ClonedComputer| {
            html! { (link(&row.name, &row.id)) div.quiet { code { (row.id) } } }
        })
        .text(|row| format!("{} {}", row.name, row.id))
        .narrow(),
        Column::new("certainty", t::col_certainty(cx), |row: &ClonedComputer| {
            let tone = if row.certainty == CloneCertainty::Certain { Tone::Bad } else { Tone::Warn };
            badge(tone, &t::certainty(cx, &ui::word(&row.certainty)))
        })
        .text(|row| ui::word(&row.certainty))
        .narrow(),
        Column::new("evidence", t::col_evidence(cx), |row: &ClonedComputer| {
            html! { @for evidence in &row.evidence { div { (t::evidence(cx, &ui::word(evidence))) } } }
        })
        .text(|row| row.evidence.iter().map(ui::word).collect::<Vec<_>>().join(" "))
        .narrow(),
        Column::new("prints", t::col_prints(cx), |row: &ClonedComputer| prints(cx, row))
            .text(|row| {
                let what =
                    |name: &str, hardware: &str| if name.is_empty() { hardware.to_owned() } else { name.to_owned() };
                row.prints.iter().map(|print| what(&print.name, &print.hardware)).collect::<Vec<_>>().join("; ")
            })
            .wide(),
        Column::new("since", t::col_since(cx), |row: &ClonedComputer| ui::time(cx, row.since))
            .text(|row| row.since.to_string()),
        Column::new("last", t::col_last_seen(cx), |row: &ClonedComputer| ui::ago(cx, row.last))
            .text(|row| row.last.to_string()),
    ];
    let forget = Column::new("forget", t::col_done(cx), |row: &ClonedComputer| {
        html! {
            form method="post" action=(HERE) data-dialog {
                input type="hidden" name="id" value=(row.id);
                button.plain type="submit" name="act" value="forget" { (t::forget(cx)) span.hide { " " (row.name) } }
            }
        }
    });
    columns.into_iter().chain(cx.may(Role::Operator).then_some(forget)).collect()
}

fn prints(cx: &Cx, row: &ClonedComputer) -> Markup {
    html! {
        @for print in &row.prints {
            div {
                @if print.name.is_empty() { (print.hardware) " " span.quiet { (print.system) } } @else { strong { (print.name) } }
                @if let Some(address) = &print.address { " " code { (address) } }
                " " span.quiet { (ui::ago(cx, print.last_seen)) ", " (t::returns(cx, u64::from(print.returns))) }
            }
        }
    }
}

/// One of several computers with one name, and that name.
struct Duplicate {
    name: String,
    of: usize,
    first: bool,
    computer: DuplicateComputer,
}

async fn duplicates(cx: &Cx, errors: &Errors) -> Result<Part, Failure> {
    let asked = super::listed(cx, |cursor, limit| async move {
        cx.api.get::<List<DuplicateName>>("/computers/duplicates", &ListQuery { cursor, limit }).await
    });
    let which = RetirementQuery { silent_days: None, duplicates: true };
    let (list, setting, preview) = tokio::join!(
        asked,
        cx.api.get::<Setting>(SETTING, &()),
        cx.api.get::<RetirementPreview>("/computers/retirement", &which),
    );
    let list = list?;
    let rows: Vec<Duplicate> = list
        .items
        .into_iter()
        .flat_map(|DuplicateName { name, computers }| {
            let of = computers.len();
            let row = move |(at, computer)| Duplicate { name: name.clone(), of, first: at == 0, computer };
            computers.into_iter().enumerate().map(row)
        })
        .collect();
    let grid = Grid::new(cx, "duplicates", t::tab_duplicates(cx), duplicate_columns(cx), &rows)
        .next(list.next.as_deref())
        .empty(ui::empty(t::duplicates_none(cx), None));
    let grid = super::list::selected(cx, grid, |row| row.computer.id.clone());
    Ok(Part::of(cx, &grid, |grid| {
        html! {
            p.quiet { (t::duplicates_about(cx)) }
            @if let Ok(preview) = &preview { (left_behind(cx, preview)) }
            (grid)
            @if let Ok(setting) = &setting { (rule(cx, setting, errors)) }
        }
    }))
}

fn left_behind(cx: &Cx, preview: &RetirementPreview) -> Markup {
    html! {
        @if preview.due > 0 {
            section.panel {
                p { (t::left_behind(cx, preview.due)) }
                @if preview.by_rule { p.quiet { (t::left_by_rule(cx)) } }
                @if cx.may(Role::Operator) {
                    form method="post" action=(HERE) data-dialog { button type="submit" name="act" value="retire" { (t::retire_left(cx)) } }
                }
            }
        }
    }
}

fn rule(cx: &Cx, setting: &Setting, errors: &Errors) -> Markup {
    let value = super::plain(&setting.value);
    let options = ["flag", "retire-older"].map(|word| (word.to_owned(), t::duplicates_rule(cx, word)));
    html! {
        section.panel {
            h2 { (t::duplicates_setting(cx)) }
            @if cx.may(Role::FullAdministrator) {
                (errors.summary(cx))
                form method="post" action=(HERE) {
                    (Field::new("value", t::duplicates_label(cx), errors).help(t::duplicates_help(cx)).choice(&options, &value))
                    button type="submit" name="act" value="rule" { (t::save(cx)) }
                }
            } @else { p { (t::duplicates_rule(cx, &value)) } }
        }
    }
}

fn duplicate_columns(cx: &Cx) -> Vec<Column<'_, Duplicate>> {
    vec![
        Column::new("name", t::col_name(cx), |row: &Duplicate| {
            html! {
                @if row.first { (link(&row.name, &row.computer.id)) " " span.quiet { (t::of_name(cx, row.of as u64)) } }
                @else { a.indent href=(at(&row.computer.id)) { (row.name) } }
                div.quiet { code { (row.computer.id) } }
            }
        })
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("standing", t::col_standing(cx), |row: &Duplicate| {
            let tone = match row.computer.standing {
                DuplicateStanding::Newest => Tone::Good,
                DuplicateStanding::InUse => Tone::Warn,
                DuplicateStanding::LeftBehind => Tone::Plain,
            };
            html! {
                (badge(tone, &t::standing(cx, &ui::word(&row.computer.standing))))
                @if row.computer.retires { div.quiet { (t::would_retire(cx)) } }
            }
        })
        .text(|row| ui::word(&row.computer.standing))
        .narrow(),
        Column::new("likeness", t::col_likeness(cx), |row: &Duplicate| {
            html! { @if row.computer.likeness == DuplicateLikeness::Hardware { (t::same_hardware(cx)) } @else { (t::same_name(cx)) } }
        })
        .text(|row| ui::word(&row.computer.likeness)),
        Column::new("address", t::col_address(cx), |row: &Duplicate| html! { (row.computer.address.as_deref().unwrap_or_default()) })
            .text(|row| row.computer.address.clone().unwrap_or_default()),
        Column::new("first", t::col_first(cx), |row: &Duplicate| ui::time(cx, row.computer.first_seen))
            .text(|row| row.computer.first_seen.to_string()),
        Column::new("contact", t::col_contact(cx), |row: &Duplicate| ui::ago(cx, row.computer.last_contact))
            .text(|row| row.computer.last_contact.to_string())
            .narrow(),
        Column::new("id", t::col_id(cx), |row: &Duplicate| html! { code { (row.computer.id) } })
            .text(|row| row.computer.id.clone())
            .hidden(),
    ]
}

/// What the forms send.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    act: String,
    id: String,
    value: String,
    due: String,
    sure: String,
    typed: String,
}

/// Forgets what an id was seen as, retires what was left behind, or changes the rule.
pub(super) async fn act(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let tab = "/computers/duplicates?tab=duplicates";
    let sure = sent.sure == "1";
    match sent.act.as_str() {
        "forget" if sure => {
            cx.api.delete::<()>(&format!("{}/prints", at(&sent.id))).await?;
            Ok(t::flash_forgotten().to(HERE))
        }
        "forget" => {
            let confirm = Confirm::new(t::forget_sentence(&cx), t::forget_undo(&cx), t::forget(&cx), HERE, HERE);
            let confirm =
                confirm.details(html! { p { code { (sent.id) } } }).field("act", "forget").field("id", &sent.id);
            Page::new(&cx, t::forget(&cx)).body(confirm.field("sure", "1").render(&cx)).render().await
        }
        "retire" => {
            let asked = Asked {
                run: RetirementRun { duplicates: true, ..RetirementRun::default() },
                to: HERE,
                back: tab.to_owned(),
                sure,
                due: &sent.due,
                typed: &sent.typed,
            };
            retire(&cx, asked).await
        }
        "rule" if sent.value == "retire-older" && !sure => {
            let which = RetirementQuery { silent_days: None, duplicates: true };
            let preview: RetirementPreview = cx.api.get("/computers/retirement", &which).await?;
            let confirm = Confirm::new(t::older_sentence(&cx), t::older_undo(&cx), t::save(&cx), HERE, tab)
                .details(due(&cx, &preview))
                .field("act", "rule")
                .field("value", &sent.value)
                .field("sure", "1");
            Page::new(&cx, t::duplicates_setting(&cx)).body(confirm.render(&cx)).render().await
        }
        "rule" => {
            let change = SettingChange { value: sent.value.clone().into(), force: false };
            match cx.api.put::<SettingChanged>(SETTING, &change).await {
                Ok(_) => Ok(t::flash_setting().to(tab)),
                Err(failure) => {
                    let errors = Errors::default().field("value", failure.into_problem()?.detail);
                    page(&cx.at(crate::address::Address::new(HERE).with("tab", "duplicates")), &errors).await
                }
            }
        }
        _ => Err(Failure::NotFound),
    }
}
