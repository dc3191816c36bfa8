//! The calendar of maintenance windows.

use jiff::{Timestamp, Zoned, civil::Date};
use weir_api::{
    List, Reference,
    window::{CalendarQuery, WindowOccurrence},
};
use weir_model::rights::Scope;

use super::{
    AdminError, App,
    collection::Tree,
    list,
    setting::Current,
    window::{api_kind, clock, in_order, zone_name},
    window_range,
};

/// Times a window may come in the days that are asked for, one every hour and some.
const MOST_TIMES: usize = 2_400;

/// When windows come in a month, or between two days.
pub(super) async fn calendar(
    app: &App,
    scope: Scope,
    query: CalendarQuery,
) -> Result<List<WindowOccurrence>, AdminError> {
    let limit = list::limit(query.limit)?;
    let published = app.state.live.current();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let site = Current::read(tx)?.zone();
        let today = Timestamp::now().to_zoned(site.clone()).date();
        let (first, last) = window_range::days(&query, today)?;
        let bound = |date: Date| date.to_zoned(site.clone()).map(|at: Zoned| at.timestamp());
        let (Ok(from), Ok(Ok(until))) = (bound(first), last.tomorrow().map(bound)) else {
            return Err(AdminError::invalid("month", "these days are outside the calendar"));
        };
        let mut found = Vec::new();
        for row in in_order(tx, &tree, query.collection.as_deref())?.into_iter().filter(|row| row.window.enabled) {
            let branches = published.snapshot.branches(&[row.collection]);
            let zone = published.hours.zone(&branches, None).0;
            let read_in = row.window.recurrence().zone().map_or(zone.clone(), |own| own.time_zone().clone());
            let times = row.window.occurrences(&zone, from, until, MOST_TIMES);
            // what began before belongs to the days before
            for span in times.into_iter().filter(|span| span.start >= from) {
                found.push(WindowOccurrence {
                    collection: tree.reference(row.collection),
                    window: Reference { id: row.id, name: row.window.name().to_owned() },
                    kind: api_kind(row.window.kind),
                    starts_at: span.start,
                    ends_at: span.end,
                    zone: zone_name(&read_in),
                    local_start: clock(span.start, &read_in),
                    minutes: row.window.minutes().into(),
                });
            }
        }
        found.sort_by(|a, b| a.starts_at.cmp(&b.starts_at).then_with(|| a.window.id.cmp(&b.window.id)));
        let key = |row: &WindowOccurrence| format!("{}/{}", row.starts_at, row.window.id);
        list::page(found, key, query.cursor.as_deref(), limit)
    })
    .await
}
