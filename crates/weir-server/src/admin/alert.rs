//! Alerts, and what administrators do about them.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_api::{
    List,
    alert::{Alert, AlertCounts, AlertDetail, AlertEvent, AlertKindCount, AlertMute, AlertNote, AlertQuery},
};
use weir_model::{
    alert::{KINDS, KindPrefix, closes_by_hand},
    message::tidy,
};
use weir_store::{
    ReadTx, StoreError, WriteTx,
    alert::{AlertCountRow, AlertEventRow, AlertFilter, AlertMoment, AlertRow, AlertSeverity},
};

use super::{AdminError, App, Caller, list, message::words, when};
use crate::notify;

/// Characters of a note.
const NOTE: usize = 1_000;
/// An alert that nobody wants to hear of for longer than this is no alert.
const LONGEST_MUTE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Open alerts, then closed ones, newest first.
pub(crate) async fn list(app: &App, query: AlertQuery) -> Result<List<Alert>, AdminError> {
    let limit = list::limit(query.limit)?;
    let filter = AlertFilter {
        open: match query.state.as_deref() {
            None | Some("all") => None,
            Some("open") => Some(true),
            Some("closed") => Some(false),
            Some(other) => {
                return Err(AdminError::Invalid {
                    code: "state",
                    detail: format!("state is {other:?}"),
                    next_step: Some("take one of all, open, closed".to_owned()),
                });
            }
        },
        kind: query.kind.as_deref().map(kind).transpose()?.map(|kind| kind.to_string()),
        least: query.severity.as_deref().map(severity).transpose()?,
        since: query.since.as_deref().map(|text| when::past("since", text, Timestamp::now())).transpose()?,
    };
    let page = app.read(move |tx| tx.alert_page(&filter, query.cursor.as_deref(), limit)).await?;
    Ok(List { items: page.items.into_iter().map(shown).collect(), next: page.next })
}

/// How many are open.
pub(crate) async fn counts(app: &App) -> Result<AlertCounts, AdminError> {
    app.read(|tx| Ok(counted(&tx.alert_counts(Timestamp::now())?))).await
}

fn counted(rows: &[AlertCountRow]) -> AlertCounts {
    let mut counts = AlertCounts::default();
    for row in rows {
        counts.open += row.open;
        counts.acknowledged += row.acknowledged;
        counts.muted += row.muted;
        *match row.severity {
            AlertSeverity::Information => &mut counts.information,
            AlertSeverity::Warning => &mut counts.warning,
            AlertSeverity::Critical => &mut counts.critical,
        } += row.open;
        match counts.kinds.last_mut().filter(|last| last.kind == row.kind) {
            Some(last) => last.open += row.open,
            None => counts.kinds.push(AlertKindCount { kind: row.kind.clone(), open: row.open }),
        }
    }
    counts
}

/// How many are open, for the status.
pub(super) fn open_count(tx: &ReadTx<'_>) -> Result<u64, StoreError> {
    Ok(counted(&tx.alert_counts(Timestamp::now())?).open)
}

/// One alert with its history.
pub(crate) async fn show(app: &App, id: i64) -> Result<AlertDetail, AdminError> {
    app.try_read(move |tx| {
        let row = find(tx, id)?;
        let history = tx.alert_events(id)?.into_iter().map(event).collect();
        Ok(AlertDetail { alert: shown(row), history })
    })
    .await
}

/// Says that an alert is known: it is not told again.
pub(crate) async fn acknowledge(app: &App, caller: &Caller, id: i64, given: AlertNote) -> Result<Alert, AdminError> {
    let note = note(given.note)?;
    change(app, caller, id, "alert.acknowledge", move |tx, row| {
        open(row)?;
        Ok(tx.alert_acknowledge(id, note.as_deref())?)
    })
    .await
}

/// Lets nobody be told of an alert for a while.
pub(crate) async fn mute(app: &App, caller: &Caller, id: i64, given: AlertMute) -> Result<Alert, AdminError> {
    let until = until(&given.until)?;
    let note = note(given.note)?;
    change(app, caller, id, "alert.mute", move |tx, row| {
        open(row)?;
        Ok(tx.alert_mute(id, Some(until), note.as_deref())?)
    })
    .await
}

/// Lets people be told of an alert again.
pub(crate) async fn unmute(app: &App, caller: &Caller, id: i64, given: AlertNote) -> Result<Alert, AdminError> {
    let note = note(given.note)?;
    change(app, caller, id, "alert.unmute", move |tx, _| Ok(tx.alert_mute(id, None, note.as_deref())?)).await
}

/// Closes an alert by hand, if it does not close by itself.
pub(crate) async fn close(app: &App, caller: &Caller, id: i64, given: AlertNote) -> Result<Alert, AdminError> {
    let note = note(given.note)?;
    change(app, caller, id, "alert.close", move |tx, row| {
        closable(row)?;
        tx.alert_close_by_hand(id, note.as_deref())?;
        Ok(())
    })
    .await
}

/// Looks at all conditions now.
pub(crate) async fn evaluate(app: &App) -> Result<AlertCounts, AdminError> {
    notify::look(app, true).await?;
    counts(app).await
}

/// What is done with many alerts at once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Acknowledge,
    Close,
    Mute(Timestamp),
    Unmute,
}

/// Does it with one of them, in a transaction of the caller's; true if it is another than before.
pub(super) fn act_in(tx: &WriteTx<'_>, id: i64, act: Act, note: Option<&str>) -> Result<bool, AdminError> {
    let before = find(tx, id)?;
    let action = match act {
        Act::Acknowledge if before.acknowledged.is_some() && note.is_none() => return Ok(false),
        Act::Unmute if before.muted.is_none() => return Ok(false),
        Act::Acknowledge => {
            open(&before)?;
            tx.alert_acknowledge(id, note)?;
            "alert.acknowledge"
        }
        Act::Close => {
            closable(&before)?;
            tx.alert_close_by_hand(id, note)?;
            "alert.close"
        }
        Act::Mute(until) => {
            open(&before)?;
            tx.alert_mute(id, Some(until), note)?;
            "alert.mute"
        }
        Act::Unmute => {
            tx.alert_mute(id, None, note)?;
            "alert.unmute"
        }
    };
    tx.audit(action, &id.to_string(), Some(&state(&before)), Some(&state(&find(tx, id)?)))?;
    Ok(true)
}

/// Until when an alert may be muted.
pub(super) fn until(text: &str) -> Result<Timestamp, AdminError> {
    let now = Timestamp::now();
    let until = when::parse("until", text, now)?;
    if until <= now || until.duration_since(now) > LONGEST_MUTE {
        return Err(AdminError::Invalid {
            code: "until",
            detail: format!("until is {until}; it must be in the future, and within a year"),
            next_step: Some("give a time from now such as +4h".to_owned()),
        });
    }
    Ok(until)
}

/// Whether somebody may close it.
fn closable(row: &AlertRow) -> Result<(), AdminError> {
    open(row)?;
    if closes_by_hand(&row.kind) {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "closes_by_itself",
        detail: format!("{} states a condition, and closes by itself as soon as that is gone", row.kind),
        next_step: Some(format!("to hear nothing of it for a while: weir alerts mute {} --until +1d", row.no)),
    })
}

/// An alert as the audit log has it.
fn state(row: &AlertRow) -> serde_json::Value {
    json!({
        "kind": row.kind, "subject": tidy(&row.subject, 200), "note": row.note,
        "acknowledged": row.acknowledged.is_some(),
        "muted_until": row.muted.as_ref().map(|(until, _)| until.to_string()),
        "open": row.closed_at.is_none(),
    })
}

async fn change(
    app: &App,
    caller: &Caller,
    id: i64,
    action: &'static str,
    work: impl FnOnce(&WriteTx<'_>, &AlertRow) -> Result<(), AdminError> + Send + 'static,
) -> Result<Alert, AdminError> {
    app.write(caller, move |tx| {
        let before = find(tx, id)?;
        work(tx, &before)?;
        let after = find(tx, id)?;
        tx.audit(action, &id.to_string(), Some(&state(&before)), Some(&state(&after)))?;
        Ok(shown(after))
    })
    .await
}

fn find(tx: &ReadTx<'_>, id: i64) -> Result<AlertRow, AdminError> {
    tx.alert_show(id)?.ok_or_else(|| AdminError::missing("alert", id, "weir alerts list"))
}

fn open(row: &AlertRow) -> Result<(), AdminError> {
    match row.closed_at {
        None => Ok(()),
        Some(at) => Err(AdminError::Conflict {
            code: "closed",
            detail: format!("the alert {} closed at {at}", row.no),
            next_step: Some("see those that are open: weir alerts list --state open".to_owned()),
        }),
    }
}

pub(super) fn note(given: Option<String>) -> Result<Option<String>, AdminError> {
    match given {
        Some(text) if text.chars().count() > NOTE => {
            Err(AdminError::invalid("note", format!("note has more than {NOTE} characters")))
        }
        given => Ok(given.map(|text| tidy(&text, NOTE)).filter(|text| !text.is_empty())),
    }
}

/// A kind of alerts that there is, or the beginning of some.
pub(super) fn kind(text: &str) -> Result<KindPrefix, AdminError> {
    let refuse = |detail: String, near: Option<String>| AdminError::Invalid {
        code: "kind",
        detail,
        next_step: Some(match near {
            Some(near) => format!("did you mean {near}? Kinds are {}", KINDS.join(", ")),
            None => format!("kinds are {}", KINDS.join(", ")),
        }),
    };
    let kind: KindPrefix =
        text.parse().map_err(|error: weir_model::alert::KindError| refuse(error.to_string(), None))?;
    if kind.is_known() {
        return Ok(kind);
    }
    Err(refuse(format!("there are no alerts of the kind {:?}", kind.as_str()), kind.nearest()))
}

/// How bad an alert is at least.
pub(super) fn severity(text: &str) -> Result<AlertSeverity, AdminError> {
    text.parse().map_err(|_| AdminError::Invalid {
        code: "severity",
        detail: format!("severity is {text:?}"),
        next_step: Some(format!("take one of {}", words(AlertSeverity::ALL.iter().map(|known| known.word())))),
    })
}

fn event(row: AlertEventRow) -> AlertEvent {
    let what = match row.what {
        AlertMoment::Acknowledged => "acknowledged",
        AlertMoment::Changed => "changed",
        AlertMoment::Closed => "closed",
        AlertMoment::Muted => "muted",
        AlertMoment::Opened => "opened",
        AlertMoment::Unmuted => "unmuted",
    };
    AlertEvent { at: row.at, what: what.to_owned(), actor: row.actor, note: row.note }
}

fn shown(row: AlertRow) -> Alert {
    let (acknowledged_at, acknowledged_by) = row.acknowledged.unzip();
    Alert {
        id: row.no,
        key: format!("{}:{}", row.kind, row.subject),
        closes_by_hand: closes_by_hand(&row.kind),
        kind: row.kind,
        subject: row.subject,
        severity: row.severity.word().to_owned(),
        message: row.message,
        opened_at: row.opened_at,
        raised_at: row.raised_at,
        count: row.count,
        closed_at: row.closed_at,
        closed_by: row.closed_by,
        acknowledged_at,
        acknowledged_by,
        muted_until: row.muted.map(|(until, _)| until),
        note: row.note,
    }
}
