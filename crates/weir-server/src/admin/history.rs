//! How compliance went: reading it. What is recorded is in [`mod@record`], of what in [`wanted`], rings in [`mod@trend`].

mod record;
mod trend;
mod wanted;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;
use weir_api::{
    List,
    computer::StateCounts,
    history::{
        History, HistoryDay, HistoryKind, HistoryQuery, HistorySubject, HistorySubjectQuery, Reached, ReachedHow,
        StartKind, TimeTo, TimeToQuery,
    },
};
use weir_model::{
    compliance::percent as share,
    history::{Day, Instants, Point, Reach, Series, Subject, TARGETS, first_kept, time_to as reach},
    ids::CollectionId,
    status::Counts,
};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, history::SubjectRow};

use super::{
    AdminError, App,
    collection::Tree,
    group,
    index::Index,
    list, rollup,
    servers::Servers,
    setting::{Current, HISTORY_DAYS},
    update::Named,
    when,
};
pub(crate) use record::{prune, record};
pub(crate) use trend::trend;

/// Days that are shown unless others are asked for.
const SHOWN_DAYS: u32 = 30;

/// What holds while a question is answered.
struct Frame {
    zone: TimeZone,
    now: Timestamp,
    today: Day,
    kept: u32,
}

impl Frame {
    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let current = Current::read(tx)?;
        let (zone, now) = (current.zone(), Timestamp::now());
        let today = Day::at(now, &zone);
        Ok(Self { zone, now, today, kept: current.number(HISTORY_DAYS) as u32 })
    }

    fn instants(&self) -> Instants<'_> {
        Instants { zone: &self.zone, now: self.now }
    }

    fn zone_name(&self) -> String {
        match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => self.zone.to_offset(self.now).to_string(),
        }
    }
}

/// A subject as it was asked for.
struct Found {
    subject: Subject,
    /// Its present name; none if it is gone.
    name: Option<String>,
    row: Option<SubjectRow>,
    series: Series,
    bytes: u64,
    /// How old what servers below had told was, by day.
    roll_ups: BTreeMap<Day, Timestamp>,
}

impl Found {
    fn read(tx: &ReadTx<'_>, frame: &Frame, subject: Subject, name: Option<String>) -> Result<Self, StoreError> {
        let row = tx.history_subject(&subject)?;
        let (series, bytes) = match &row {
            Some(row) => series(tx, frame, row)?,
            None => (Series::default(), 0),
        };
        Ok(Self { subject, name, row, series, bytes, roll_ups: roll_ups(tx, &subject)? })
    }

    /// A day as it is shown.
    fn shown(&self, day: Day, point: Option<&Point>) -> HistoryDay {
        HistoryDay {
            day: day.date(),
            counts: point.map(|point| api_counts(&point.counts)),
            computers: point.map(|point| point.counts.total()),
            percent: point.and_then(|point| share(point.counts.compliant(), point.counts.total())),
            rolled_up: point.and_then(|_| self.roll_ups.get(&day).copied()),
        }
    }

    fn described(&self) -> HistorySubject {
        let (id, collection) = match self.subject {
            Subject::Collection(id) => (id.0, None),
            Subject::Site(id) | Subject::Group(id) => (id, None),
            Subject::GroupIn(group, collection) => (group, Some(collection.0)),
            Subject::Update(id) => (id.0, None),
        };
        let points = self.series.points();
        let stored = self.row.as_ref();
        HistorySubject {
            kind: match self.subject {
                Subject::Collection(_) => HistoryKind::Collection,
                Subject::Group(_) => HistoryKind::Group,
                Subject::GroupIn(..) => HistoryKind::GroupInCollection,
                Subject::Site(_) => HistoryKind::Site,
                Subject::Update(_) => HistoryKind::Update,
            },
            id,
            collection,
            name: self.name.clone().or_else(|| stored.map(|row| row.name.clone())).unwrap_or_else(|| id.to_string()),
            gone_at: stored.and_then(|row| row.gone_at),
            first_day: points.first().map(|point| point.day.date()),
            last_day: points.last().map(|point| point.day.date()),
            days: points.len() as u32,
            bytes: self.bytes,
        }
    }
}

/// How old what servers below had told of a subject was, by day. Computers below may be in any but the one that is this server.
fn roll_ups(tx: &ReadTx<'_>, subject: &Subject) -> Result<BTreeMap<Day, Timestamp>, StoreError> {
    match subject {
        Subject::Site(id) if id.is_nil() => Ok(BTreeMap::new()),
        Subject::Site(id) => {
            let servers = tx.rollup_server_numbers()?;
            match servers.iter().find(|(_, known, ..)| known == id) {
                Some((no, ..)) => tx.history_roll_ups(Some(*no)),
                None => Ok(BTreeMap::new()),
            }
        }
        _ => tx.history_roll_ups(None),
    }
}

/// All days of a subject that are kept, and the bytes that they take.
fn series(tx: &ReadTx<'_>, frame: &Frame, row: &SubjectRow) -> Result<(Series, u64), StoreError> {
    let mut series = Series::default();
    let mut bytes = 0;
    for (year, part) in tx.history_parts(row.no)? {
        bytes += part.len() as u64;
        match Series::decode(&part) {
            Ok(part) => series.join(&part),
            Err(error) => tracing::warn!(subject = row.name, year, %error, "a year of history cannot be read"),
        }
    }
    series.trim(first_kept(frame.today, frame.kept));
    series.until(frame.today);
    Ok((series, bytes))
}

/// What is asked for. Names of things that are gone are looked for among those that have a history.
fn subject(
    tx: &ReadTx<'_>,
    index: &Index,
    (collection, server): (Option<&str>, Option<&str>),
    (group, update): (Option<&str>, Option<&str>),
) -> Result<(Subject, Option<String>), AdminError> {
    let several = || AdminError::Invalid {
        code: "subject",
        detail: "server and update each stand alone; only group and collection go together".to_owned(),
        next_step: Some("name one of them, or a group with a collection".to_owned()),
    };
    match (group, collection, server, update) {
        (None, None, None, Some(update)) => {
            let named = Named::parse(update)?;
            let subject = Subject::Update(named.id);
            match index.find(named.id) {
                Some(_) => Ok((subject, Some(index.title(named.id)))),
                None if tx.history_subject(&subject)?.is_some() => Ok((subject, None)),
                None => Err(named.missing()),
            }
        }
        (None, None, Some(server), None) => {
            let id = site_id(tx, rollup::site(tx, server)?)?;
            Ok((Subject::Site(id), Some(site_name(tx, id)?)))
        }
        (Some(group), collection, None, None) => {
            let known = match group::find(tx, group) {
                Ok(row) => Some((row.id, row.name)),
                Err(error @ AdminError::NotFound { .. }) if collection.is_some() => return Err(error),
                Err(AdminError::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
            let Some((id, name)) = known else {
                return gone(tx, group, |subject| matches!(subject, Subject::Group(_)))?
                    .ok_or_else(|| AdminError::missing("update group", format!("{group:?}"), "weir groups list"));
            };
            let Some(collection) = collection else { return Ok((Subject::Group(id), Some(name))) };
            let tree = Tree::read(tx)?;
            let row = tree.find(collection)?;
            if row.id == CollectionId::ALL_COMPUTERS {
                return Ok((Subject::Group(id), Some(name)));
            }
            Ok((Subject::GroupIn(id, row.id), Some(wanted::in_collection(&name, &row.name))))
        }
        (None, collection, None, None) => {
            let tree = Tree::read(tx)?;
            let id = CollectionId::ALL_COMPUTERS;
            let Some(asked) = collection else { return Ok((Subject::Collection(id), Some(tree.name(id)))) };
            match tree.find(asked) {
                Ok(row) => Ok((Subject::Collection(row.id), Some(row.name.clone()))),
                Err(error @ AdminError::NotFound { .. }) => {
                    gone(tx, asked, |subject| matches!(subject, Subject::Collection(_)))?.ok_or(error)
                }
                Err(error) => Err(error),
            }
        }
        _ => Err(several()),
    }
}

/// Something that is gone and has a history, by id or last name. Of several with that name the one that went last.
fn gone(
    tx: &ReadTx<'_>,
    asked: &str,
    kind: impl Fn(&Subject) -> bool,
) -> Result<Option<(Subject, Option<String>)>, StoreError> {
    let id: Option<Uuid> = asked.trim().parse().ok();
    let is_named = |row: &SubjectRow| {
        let by_id = id.is_some_and(|id| row.subject.key().starts_with(id.as_bytes()));
        by_id || row.name.to_lowercase() == asked.trim().to_lowercase()
    };
    let rows = tx.history_subjects()?.into_iter();
    let last =
        rows.filter(|row| kind(&row.subject) && row.gone_at.is_some() && is_named(row)).max_by_key(|row| row.gone_at);
    Ok(last.map(|row| (row.subject, None)))
}

/// The GUID that stands for a server by number.
fn site_id(tx: &ReadTx<'_>, no: u32) -> Result<Uuid, StoreError> {
    if no == THIS_SERVER {
        return Ok(Uuid::nil());
    }
    let found = Servers::read(tx)?.get(no).map(|server| server.id);
    found.ok_or_else(|| StoreError::Missing { kind: "server number", id: no.to_string() })
}

fn site_name(tx: &ReadTx<'_>, id: Uuid) -> Result<String, StoreError> {
    if id.is_nil() {
        return Ok(wanted::THIS.to_owned());
    }
    let servers = Servers::read(tx)?;
    let found = servers.iter().find(|(_, server)| server.id == id);
    Ok(found.map_or_else(|| id.to_string(), |(_, server)| server.name.clone()))
}

/// A history day by day.
pub(crate) async fn show(app: &App, query: HistoryQuery) -> Result<History, AdminError> {
    let limit = list::limit(query.limit)?;
    let index = Index::current(app).await?;
    app.try_read(move |tx| {
        let frame = Frame::read(tx)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let (subject, name) = subject(tx, &index, of, (query.group.as_deref(), query.update.as_deref()))?;
        let found = Found::read(tx, &frame, subject, name)?;
        let last = query.to.map_or(frame.today, Day::of).min(frame.today);
        let first = query.from.map_or_else(|| last.minus(SHOWN_DAYS - 1), Day::of);
        if query.from.zip(query.to).is_some_and(|(from, to)| from > to) {
            return Err(AdminError::invalid("from", "from is after to"));
        }
        let first = first.max(first_kept(frame.today, frame.kept));
        let first = match query.cursor.as_deref() {
            None => first,
            Some(cursor) => {
                let seen: Date = cursor
                    .parse()
                    .map_err(|_| AdminError::invalid("cursor", format!("{cursor:?} is not a cursor of this list")))?;
                first.max(Day::of(seen).plus(1))
            }
        };
        let mut days = found.series.days(first, last).map(|(day, point)| found.shown(day, point));
        let items: Vec<HistoryDay> = days.by_ref().take(limit as usize).collect();
        let next = if days.next().is_some() { items.last().map(|day| day.day.to_string()) } else { None };
        Ok(History { subject: found.described(), time_zone: frame.zone_name(), kept_days: frame.kept, items, next })
    })
    .await
}

/// What history is kept of.
pub(crate) async fn subjects(app: &App, query: HistorySubjectQuery) -> Result<List<HistorySubject>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let frame = Frame::read(tx)?;
        let kind = |subject: &Subject| match query.kind {
            None => true,
            Some(HistoryKind::Collection) => matches!(subject, Subject::Collection(_)),
            Some(HistoryKind::Group) => matches!(subject, Subject::Group(_)),
            Some(HistoryKind::GroupInCollection) => matches!(subject, Subject::GroupIn(..)),
            Some(HistoryKind::Site) => matches!(subject, Subject::Site(_)),
            Some(HistoryKind::Update) => matches!(subject, Subject::Update(_)),
        };
        let rows = tx.history_subjects()?.into_iter().filter(|row| kind(&row.subject));
        let page = list::page(rows, |row| row.no.to_string(), query.cursor.as_deref(), limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            let (series, bytes) = series(tx, &frame, &row)?;
            let (subject, roll_ups) = (row.subject, BTreeMap::new());
            let found = Found { subject, name: None, row: Some(row), series, bytes, roll_ups };
            items.push(found.described());
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// When shares of the computers complied.
pub(crate) async fn time_to(app: &App, query: TimeToQuery) -> Result<TimeTo, AdminError> {
    let index = Index::current(app).await?;
    app.try_read(move |tx| {
        let frame = Frame::read(tx)?;
        let of = (query.collection.as_deref(), query.server.as_deref());
        let (subject, name) = subject(tx, &index, of, (query.group.as_deref(), query.update.as_deref()))?;
        let found = Found::read(tx, &frame, subject, name)?;
        let since = query.since.as_deref().map(|text| when::past("since", text, frame.now)).transpose()?;
        let (start, start_is) = match since {
            Some(since) => (since, StartKind::Given),
            None => start(tx, &index, &subject)?.ok_or_else(|| AdminError::Invalid {
                code: "since",
                detail: "nothing says when this began".to_owned(),
                next_step: Some("give since, such as 30d or 2026-11-10T00:00:00Z".to_owned()),
            })?,
        };
        Ok(TimeTo {
            subject: found.described(),
            start,
            start_is,
            latest: found.series.points().last().map(|point| found.shown(point.day, Some(point))),
            reached: all_reached(found.series.points(), start, &frame),
        })
    })
    .await
}

/// From when on the time to compliance counts: for an update when its publisher made it, for a group the earliest time from
/// which a deployment that installs it is available, or when the group was made if there is none.
fn start(tx: &ReadTx<'_>, index: &Index, subject: &Subject) -> Result<Option<(Timestamp, StartKind)>, StoreError> {
    let (group, collection) = match *subject {
        Subject::Update(id) => {
            let created = index.find(id).and_then(|entry| entry.created_at);
            return Ok(created.map(|at| (at, StartKind::Published)));
        }
        Subject::Group(group) => (group, None),
        Subject::GroupIn(group, collection) => (group, Some(collection)),
        Subject::Collection(_) | Subject::Site(_) => return Ok(None),
    };
    if let Some(at) = wanted::available(tx, group, collection)? {
        return Ok(Some((at, StartKind::Available)));
    }
    Ok(tx.update_group_row(group)?.map(|row| (row.created_at, StartKind::Created)))
}

fn all_reached(points: &[Point], start: Timestamp, frame: &Frame) -> Vec<Reached> {
    TARGETS.map(|target| reached(target, reach(points, start, target, &frame.instants()), start)).into()
}

fn reached(percent: u8, reach: Reach, start: Timestamp) -> Reached {
    let hours = reach.took(start).map(|took| tenth(took.as_secs_f64() / 3_600.0));
    let nothing = Reached {
        percent,
        how: ReachedHow::NoRecords,
        after: None,
        by: None,
        estimate: None,
        hours,
        missing_days: 0,
        best: None,
    };
    match reach {
        Reach::AtStart => Reached { how: ReachedHow::AtStart, by: Some(start), ..nothing },
        Reach::BeforeRecords { by } => Reached { how: ReachedHow::BeforeRecords, by: Some(by), ..nothing },
        Reach::Between { after, by, estimate, missing } => Reached {
            how: ReachedHow::Between,
            after: Some(after),
            by: Some(by),
            estimate,
            missing_days: missing,
            ..nothing
        },
        Reach::Not { best, at } => {
            Reached { how: ReachedHow::NotReached, best: Some(tenth(best)), after: Some(at), ..nothing }
        }
        Reach::NoRecords => nothing,
    }
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

fn api_counts(counts: &Counts) -> StateCounts {
    StateCounts {
        unknown: counts.unknown,
        not_applicable: counts.not_applicable,
        required: counts.required,
        downloaded: counts.downloaded,
        installed: counts.installed,
        failed: counts.failed,
        pending_restart: counts.pending_restart,
    }
}
