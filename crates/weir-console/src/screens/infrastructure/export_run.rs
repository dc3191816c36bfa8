//! One export: how far it is, and its files, which are fetched one by one and make room for those that follow.

use axum::{Form, extract::Path, response::Response};
use http::HeaderMap;
use maud::{Markup, html};
use weir_api::{
    access::Role,
    export::{Export, ExportFile, ExportFormat, ExportPhase, ExportResult, ExportState},
};

use super::{import::job_state, may};
use crate::{
    address::{Address, local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    texts::{infrastructure as t, infrastructure_files as f},
    ui::{
        self,
        confirm::Confirm,
        form::Errors,
        grid::{Action, Column, Grid, wants_csv},
        icon::Icon,
    },
};

fn own(id: &str) -> String {
    path(&["infrastructure", "export", id])
}

/// What a file is kept as: the names that `weir import` looks for.
fn kept(name: &str) -> String {
    match (name, name.parse::<u64>()) {
        ("package", _) => "catalogue.cab".to_owned(),
        ("signature", _) => "bundle.weir.sig".to_owned(),
        (_, Ok(number)) => format!("bundle.weir.{number:03}"),
        _ => "bundle.weir".to_owned(),
    }
}

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let export: Export = cx.api.get(&path(&["exports", &id]), &()).await?;
    if wants_csv(&cx.address) {
        return Ok(grid(&cx, &export).csv());
    }
    let body = html! {
        (standing(&cx, &export))
        (grid(&cx, &export).render())
        @if let Some(result) = &export.result { (outcome(&cx, &export, result)) }
    };
    let actions = html! {
        @if may(&cx, Role::Operator) { a.button href={ (own(&id)) "/end" } { (f::export_end(&cx)) } }
    };
    Page::new(&cx, f::export_formats(&cx, &ui::word(&export.format)))
        .crumb(t::export(&cx), "/infrastructure/export")
        .fact(t::state(&cx), job_state(&cx, &ui::word(&export.state)))
        .fact(t::began(&cx), ui::time(&cx, export.started_at))
        .fact(t::size(&cx), html! { (ui::bytes(&cx, export.files.iter().map(|file| file.size).sum())) })
        .actions(actions)
        .body(ui::live("export-live", "jobs", body))
        .render()
        .await
}

fn standing(cx: &Cx, export: &Export) -> Markup {
    let waits = export.phase == ExportPhase::Wait;
    html! {
        @if export.state == ExportState::Running {
            section.panel {
                @if waits { p { strong { (f::export_waits(cx)) } } p { (f::export_waits_help(cx)) } }
                @else { (ui::progress(cx, &f::export_phases(cx, &ui::word(&export.phase)), export.done, export.total)) }
            }
        }
        @if let Some(problem) = &export.problem {
            div.panel.failure role="alert" {
                p lang="en" { (problem.detail) }
                @if let Some(next) = &problem.next_step { p lang="en" { (next) } }
            }
        }
        @if export.state == ExportState::Done {
            div.panel {
                p { @if export.format == ExportFormat::Bundle { (f::export_carry_bundle(cx)) } @else { (f::export_carry_package(cx)) } }
            }
        }
    }
}

fn grid<'a>(cx: &'a Cx, export: &'a Export) -> Grid<'a, ExportFile> {
    let id = export.id.to_string();
    let columns = vec![
        Column::new("file", f::file(cx), move |file: &ExportFile| {
            html! { a href=(path(&["infrastructure", "export", &id, "files", &file.name])) download=(kept(&file.name)) { (Icon::Download.show()) (kept(&file.name)) } }
        })
        .text(|file| kept(&file.name))
        .wide()
        .narrow(),
        Column::new("size", t::size(cx), |file: &ExportFile| html! { (ui::bytes(cx, file.size)) })
            .text(|file| file.size.to_string())
            .numeric()
            .narrow(),
        Column::new("sha256", "SHA-256", |file: &ExportFile| html! { code { (file.sha256) } }).text(|file| file.sha256.clone()),
    ];
    let grid = Grid::new(cx, "export-files", f::files_label(cx), columns, &export.files)
        .empty(html! { p { (f::export_no_files(cx)) } });
    if may(cx, Role::Operator) {
        let id = export.id;
        let action =
            Action { label: f::export_arrived(cx).to_owned(), to: "/infrastructure/export/arrived", act: "arrived" };
        grid.select(move |file| format!("{id}/{}", file.name), vec![action])
    } else {
        grid
    }
}

fn outcome(cx: &Cx, export: &Export, result: &ExportResult) -> Markup {
    let number = |number: u64| html! { (ui::number(cx, number)) };
    let mut facts = vec![
        (t::revisions(cx).to_owned(), number(result.revisions)),
        (f::documents_size(cx).to_owned(), html! { (ui::bytes(cx, result.document_bytes)) }),
        (f::unresolved(cx).to_owned(), number(result.unresolved)),
        (f::files_label(cx).to_owned(), number(result.files)),
    ];
    if export.format == ExportFormat::Bundle {
        facts.push((f::files_size(cx).to_owned(), html! { (ui::bytes(cx, result.file_bytes)) }));
        facts.push((f::files_missing(cx).to_owned(), number(result.files_missing)));
        facts.push((f::decisions_label(cx).to_owned(), number(result.objects)));
        if let Some(sequence) = result.sequence {
            facts.push((f::sequence(cx).to_owned(), number(sequence)));
        }
        if let Some(signer) = &result.signer {
            facts.push((f::signed_by(cx).to_owned(), html! { code { (signer) } }));
        }
    } else {
        facts.push((f::files_no_source(cx).to_owned(), number(result.files_without_source)));
    }
    html! {
        section.panel {
            h2 { (f::export_held(cx)) }
            (ui::facts(facts))
            @if !result.unresolved_ids.is_empty() {
                details {
                    summary { (f::unresolved(cx)) }
                    ul.error-list { @for id in &result.unresolved_ids { li { code { (id) } } } }
                }
            }
        }
    }
}

/// A file, as REST has it.
pub(super) async fn file(
    cx: Cx,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let address = Address::new(path(&["exports", &id, "files", &name]));
    relay::down(&cx, &address, Some(&kept(&name)), &headers).await
}

/// Asks before an export is ended.
pub(super) async fn confirm(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let export: Export = cx.api.get(&path(&["exports", &id]), &()).await?;
    let (sentence, action) = (f::end_sentence(&cx, export.files.len() as u64), format!("{}/end", own(&id)));
    let confirm = Confirm::new(sentence, f::end_undo(&cx), f::export_end(&cx), action, own(&id)).danger();
    Page::new(&cx, f::export_end(&cx))
        .crumb(t::export(&cx), "/infrastructure/export")
        .body(confirm.render(&cx))
        .render()
        .await
}

/// Ends an export and forgets its files.
pub(super) async fn end(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    cx.api.delete::<()>(&path(&["exports", &id])).await?;
    Ok(f::flash_export_ended().to("/infrastructure/export"))
}

/// The export and the names of its files that were selected. Keys of the grid are `EXPORT/FILE`; those of another export than the
/// first one are left out.
fn chosen(pairs: &[(String, String)]) -> Option<(String, Vec<String>)> {
    let keys = pairs.iter().filter(|(name, _)| name == "id" || name == "ids").flat_map(|(_, value)| value.split(','));
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let keys: Vec<(&str, &str)> =
        keys.filter_map(|key| key.trim().split_once('/')).filter(|(id, name)| plain(id) && plain(name)).collect();
    let id = keys.first()?.0.to_owned();
    let mut names: Vec<String> =
        keys.into_iter().filter(|(other, _)| *other == id).map(|(_, name)| name.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    Some((id, names))
}

/// Says that files arrived, so that the server makes room for further ones. It is asked first: they go from here.
pub(super) async fn arrived(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let Some((id, names)) = chosen(&pairs) else {
        let from = pairs.iter().find(|(name, _)| name == "from").map(|(_, value)| local(Some(value)));
        return Ok(f::flash_no_files_selected().to(from.unwrap_or_else(|| "/infrastructure/export".to_owned())));
    };
    if !pairs.iter().any(|(name, value)| name == "sure" && value == "1") {
        return asked(&cx, &id, &names, &Errors::default()).await;
    }
    for (done, name) in names.iter().enumerate() {
        if let Err(failure) = cx.api.delete::<()>(&path(&["exports", &id, "files", name])).await {
            let errors = Errors::of(&failure.into_problem()?, &[]);
            return asked(&cx, &id, names.get(done..).unwrap_or_default(), &errors).await;
        }
    }
    Ok(f::flash_arrived(names.len() as u64).to(own(&id)))
}

async fn asked(cx: &Cx, id: &str, names: &[String], errors: &Errors) -> Result<Response, Failure> {
    let keys: Vec<String> = names.iter().map(|name| format!("{id}/{name}")).collect();
    let details = html! {
        (errors.summary(cx))
        ul.samples { @for name in names { li { (kept(name)) } } }
    };
    let sentence = f::arrived_sentence(cx, names.len() as u64);
    let confirm =
        Confirm::new(sentence, f::arrived_undo(cx), f::export_arrived(cx), "/infrastructure/export/arrived", own(id))
            .details(details)
            .field("ids", keys.join(","))
            .field("sure", "1");
    Page::new(cx, f::export_arrived(cx))
        .crumb(t::export(cx), "/infrastructure/export")
        .body(confirm.render(cx))
        .render()
        .await
}

#[cfg(test)]
mod tests {
    use super::{chosen, kept};

    #[test]
    fn files_are_called_as_they_are_looked_for() {
        assert_eq!(
            ["package", "manifest", "signature", "1", "1234"].map(kept),
            ["catalogue.cab", "bundle.weir", "bundle.weir.sig", "bundle.weir.001", "bundle.weir.1234"]
        );
    }

    #[test]
    fn files_of_one_export_are_meant() {
        let pairs = [("ids", "x/1,x/manifest,y/2,x/../z"), ("id", "x/1"), ("from", "x/3")];
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(chosen(&pairs), Some(("x".to_owned(), vec!["1".to_owned(), "manifest".to_owned()])));
        assert_eq!(chosen(&[("act".to_owned(), "arrived".to_owned())]), None);
    }
}
