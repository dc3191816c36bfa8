//! Deleting a window.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use weir_api::{collection::Collection, window::Window};

use super::{address, all, resource};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::filled::Filled,
    texts::{deployments as d, deployments_windows as t},
    ui::confirm::{Confirm, matches},
};

/// Asks before it is deleted.
pub(super) async fn ask(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let one: Window = cx.api.get(&resource(&id), &()).await?;
    confirm(&cx, &one, None).await
}

async fn confirm(cx: &Cx, one: &Window, wrong: Option<String>) -> Result<Response, Failure> {
    let id = one.collection.id.to_string();
    let rest = path(&["collections", &id]);
    let (found, windows) = tokio::join!(cx.api.get::<Collection>(&rest, &()), all(cx, Some(&id)));
    let others = windows?.iter().filter(|window| window.id != one.id && window.enabled).count() as u64;
    let sentence = t::delete_sentence(cx, found?.members_below, &one.name, &one.collection.name);
    let details = html! { p { @if others == 0 { (t::delete_last(cx)) } @else { (t::delete_others(cx, others)) } } };
    let (label, to) = (d::acts(cx, "delete"), format!("{}/delete", address(one)));
    let confirm = Confirm::new(sentence, t::delete_undo(cx), &label, to, address(one)).details(details);
    Page::new(cx, label)
        .crumb(d::windows(cx), "/deployments/windows")
        .crumb(&one.name, address(one))
        .body(confirm.typed(&one.name, wrong).render(cx))
        .render()
        .await
}

/// Deletes it.
pub(super) async fn delete(
    cx: Cx,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Window = cx.api.get(&resource(&id), &()).await?;
    if !matches(Filled::new(pairs).text("typed"), &one.name) {
        return confirm(&cx, &one, Some(d::error_typed(&cx).to_owned())).await;
    }
    cx.api.delete::<()>(&resource(&one.id.to_string())).await?;
    Ok(t::flash_deleted(&one.name).to("/deployments/windows"))
}
