//! What a computer told over time, as far as it is kept.

use weir_api::{
    Reference,
    computer::{ComputerTimeline, TimelineEntry},
    list::ListQuery,
};
use weir_model::{
    rights::Scope,
    status::{event_text, state_after},
};
use weir_store::event::EventRow;

use super::{AdminError, App, collection::Tree, computer, index::Index, list, standing::hresult};

/// A page of it, newest arrival first. The first page begins with the newest of each kind that is about no update.
pub(crate) async fn show(app: &App, scope: Scope, id: &str, query: ListQuery) -> Result<ComputerTimeline, AdminError> {
    let id = computer::parse(id)?;
    let limit = list::limit(query.limit)?;
    let index = Index::current(app).await?;
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| computer::missing(&id))?;
        Tree::within(tx, &scope)?.check_computer(&id, &tx.computer_collections(row.no)?)?;
        let page = tx.event_list(row.no, query.cursor.as_deref(), limit)?;
        let mut items: Vec<TimelineEntry> = page.items.iter().map(|event| entry(&index, event)).collect();
        if query.cursor.is_none() {
            items.extend(tx.event_latest(row.no)?.iter().map(|event| entry(&index, event)));
            items.sort_by(|a, b| b.received_at.cmp(&a.received_at).then_with(|| b.at.cmp(&a.at)));
        }
        Ok(ComputerTimeline { items, next: page.next })
    })
    .await
}

fn entry(index: &Index, event: &EventRow) -> TimelineEntry {
    let failed = event.hresult != 0;
    TimelineEntry {
        at: event.at_target,
        received_at: event.received_at,
        event: event.event_id,
        text: event_text(event.event_id).to_owned(),
        update: event
            .update
            .map(|identity| Reference { id: identity.update_id.0, name: index.title(identity.update_id) }),
        revision: event.update.map(|identity| identity.revision.0),
        state: event.update.and_then(|_| state_after(event.event_id)).map(computer::api_state),
        error: failed.then(|| hresult(event.hresult)),
        error_meaning: failed.then(|| super::failure::meaning(event.hresult)),
        newest_only: event.update.is_none(),
    }
}
