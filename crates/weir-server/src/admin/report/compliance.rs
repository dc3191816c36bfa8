//! Group A: compliance.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use jiff::tz::TimeZone;
use weir_model::{
    ids::{CollectionId, UpdateId},
    report::{
        Cell, Row,
        states::{Health, Scan, word},
    },
    status::{Counts, State, UpdateNumber, computer_state},
};

use super::{
    super::AdminError,
    shown::{SHOWN, counts_of, percent},
    source::{Scope, Source, asked_state, required},
};

/// Updates that the health report names.
const TOP: usize = 5;

/// A1.
pub(super) fn overall(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let groups = match source.group()? {
        Some(group) => vec![group],
        None => {
            let mut all = Vec::new();
            for row in source.tx.update_group_list()? {
                let members = source.tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
                all.push((row.id, row.name, members));
            }
            all
        }
    };
    let published = source.live.current();
    // which groups an update is in
    let mut places: HashMap<UpdateNumber, Vec<usize>> = HashMap::new();
    for (at, (_, _, members)) in groups.iter().enumerate() {
        for number in members.iter().filter_map(|update| published.status_number(*update)) {
            places.entry(number).or_default().push(at);
        }
    }
    let only: HashSet<UpdateId> = groups.iter().flat_map(|(_, _, members)| members.iter().copied()).collect();
    let mut counted = vec![Counts::default(); groups.len()];
    source.each(&source.scope()?, Some(&only), &mut |member| {
        let mut states = vec![Counts::default(); groups.len()];
        for (asked, state, _) in member.states() {
            for at in places.get(&asked.number).into_iter().flatten() {
                if let Some(own) = states.get_mut(*at) {
                    own.add(state);
                }
            }
        }
        for (own, counts) in states.iter().zip(&mut counted) {
            let states = State::ALL.into_iter().filter(|state| own.of(*state) > 0);
            counts.add(computer_state(member.status.reported.is_some(), states));
        }
        Ok(())
    })?;
    let rows = groups.into_iter().zip(&counted).map(|((id, name, members), counts)| {
        let head = [
            Cell::Id(id.to_string()),
            Cell::text(name),
            Cell::Count(members.len() as u64),
            Cell::Count(counts.total()),
            Cell::Count(counts.compliant()),
            percent(counts),
        ];
        let states = [State::Required, State::Downloaded, State::PendingRestart, State::Failed, State::Unknown];
        head.into_iter().chain(counts_of(counts, &states)).collect()
    });
    Ok(source.all(rows.collect()))
}

/// Which collections each computer counts for, found once for each set of collections.
pub(super) struct Places<'s> {
    source: &'s Source<'s>,
    pub(super) collections: Vec<(CollectionId, String)>,
    known: HashMap<Vec<CollectionId>, Vec<usize>>,
}

impl<'s> Places<'s> {
    /// All collections, or one with those below it, by name.
    pub(super) fn new(source: &'s Source<'s>) -> Result<Self, AdminError> {
        let within = source.asked.text("collection").map(|name| source.tree.find(name)).transpose()?;
        let within = within.map_or(CollectionId::ALL_COMPUTERS, |row| row.id);
        let rows = source.tree.rows.iter();
        let meant = rows.filter(|row| within == CollectionId::ALL_COMPUTERS || source.tree.is_within(row.id, within));
        let mut collections: Vec<_> = meant.map(|row| (row.id, row.name.clone())).collect();
        collections.sort_by_cached_key(|(id, name)| (name.to_lowercase(), *id));
        Ok(Self { source, collections, known: HashMap::new() })
    }

    pub(super) fn of(&mut self, row: &weir_store::computer::DirectoryRow) -> &[usize] {
        let (source, collections) = (self.source, &self.collections);
        self.known.entry(row.groups.clone()).or_insert_with(|| {
            let held = collections.iter().enumerate().filter(|(_, (id, _))| source.tree.holds(*id, row));
            held.map(|(at, _)| at).collect()
        })
    }
}

/// A2.
pub(super) fn update(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let mut places = Places::new(source)?;
    let mut counted = vec![Counts::default(); places.collections.len()];
    let scope = Scope { site: source.site()?, ..Scope::default() };
    source.each(&scope, Some(&HashSet::from([update])), &mut |member| {
        let state = member.states().next().map_or(State::Unknown, |(_, state, _)| state);
        for at in places.of(member.row) {
            if let Some(counts) = counted.get_mut(*at) {
                counts.add(state);
            }
        }
        Ok(())
    })?;
    let rows = places.collections.iter().zip(&counted).map(|((id, name), counts)| {
        let head = [Cell::Id(id.to_string()), Cell::text(name), Cell::Count(counts.total()), percent(counts)];
        head.into_iter().chain(counts_of(counts, &SHOWN)).collect()
    });
    Ok(source.all(rows.collect()))
}

/// A3.
pub(super) fn group_updates(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let (_, _, members) = required(source.group()?, "group")?;
    let counted = source.counts(&source.scope()?, Some(&members.iter().copied().collect()))?;
    let mut best = source.best();
    for update in members {
        let counts = counted.of(update);
        best.offer((Reverse(counts.needed() + counts.failed), update), || {
            let what = source.what(update).into_iter().chain([percent(&counts)]);
            what.chain(counts_of(&counts, &SHOWN)).collect()
        });
    }
    Ok(source.finish(best))
}

/// A4.
pub(super) fn vendor_month(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let vendor = source.asked.text("vendor").map(str::to_lowercase);
    let (year, month) = (source.asked.count("year"), source.asked.count("month"));
    let counted = source.counts(&source.scope()?, None)?;
    let mut best = source.best();
    for (update, counts) in &counted.updates {
        let Some(entry) = source.index.find(*update) else { continue };
        let date = entry.created_at.map(|at| at.to_zoned(TimeZone::UTC).date());
        let fits = |wanted: Option<u32>, is: Option<u32>| wanted.is_none_or(|wanted| is == Some(wanted));
        if !fits(year, date.map(|date| u32::from(date.year().unsigned_abs())))
            || !fits(month, date.map(|date| u32::from(date.month().unsigned_abs())))
        {
            continue;
        }
        let own = source.vendor(*update);
        if vendor.as_ref().is_some_and(|wanted| own.as_ref().is_none_or(|own| own.to_lowercase() != *wanted)) {
            continue;
        }
        best.offer((Reverse(entry.created_at), *update), || {
            let vendor = own.map_or(Cell::Absent, Cell::text);
            let what = source.what(*update).into_iter();
            let more = [vendor, Cell::time(entry.created_at), percent(counts)];
            what.chain(more).chain(counts_of(counts, &SHOWN)).collect()
        });
    }
    Ok(source.finish(best))
}

/// A5.
pub(super) fn computer(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    const ORDER: [State; 7] = [
        State::Failed,
        State::Required,
        State::Downloaded,
        State::PendingRestart,
        State::Unknown,
        State::Installed,
        State::NotApplicable,
    ];
    let wanted = asked_state(source.asked);
    let mut best = source.best();
    source.one(None, &mut |member| {
        for (asked, state, entry) in member.states() {
            if wanted.map_or(state == State::NotApplicable, |wanted| wanted != state) {
                continue;
            }
            let place = ORDER.iter().position(|known| *known == state);
            let title = source.index.title(asked.update);
            best.offer((place, title, asked.update), || {
                let more = [
                    source.severity(asked.update),
                    Cell::State(word(state)),
                    Cell::time(entry.map(|entry| entry.changed)),
                    Cell::code(entry.and_then(|entry| entry.error)),
                ];
                source.what(asked.update).into_iter().chain(more).collect()
            });
        }
    })?;
    Ok(source.finish(best))
}

/// A6.
pub(super) fn update_states(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let counts = states_of(source, &source.scope()?, update)?;
    let row = |state: &State| {
        let count = counts.of(*state);
        vec![Cell::State(word(*state)), Cell::Count(count), Cell::share(count, counts.total())]
    };
    Ok(source.all(SHOWN.iter().map(row).collect()))
}

/// Computers by their state of one update; those that are not asked about it are unknown.
fn states_of(source: &Source<'_>, scope: &Scope, update: UpdateId) -> Result<Counts, AdminError> {
    let mut counts = Counts::default();
    source.each(scope, Some(&HashSet::from([update])), &mut |member| {
        counts.add(member.states().next().map_or(State::Unknown, |(_, state, _)| state));
        Ok(())
    })?;
    Ok(counts)
}

/// A7.
pub(super) fn group_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let (_, _, members) = required(source.group()?, "group")?;
    let wanted = required(asked_state(source.asked), "state")?;
    let mut best = source.best();
    source.each(&source.scope()?, Some(&members.into_iter().collect()), &mut |member| {
        if member.worst() == wanted {
            best.offer(member.key(), || {
                let counts = member.counts();
                let more = [
                    Cell::Count(counts.needed()),
                    Cell::Count(counts.failed),
                    Cell::Count(counts.unknown),
                    Cell::Time(member.computer.last_contact_at),
                    Cell::time(member.computer.last_report_at),
                ];
                source.who(member.computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}

/// A8.
pub(super) fn update_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let wanted = required(asked_state(source.asked), "state")?;
    let mut best = source.best();
    source.each(&source.scope()?, Some(&HashSet::from([update])), &mut |member| {
        let known = member.states().next();
        let (state, entry) = known.map_or((State::Unknown, None), |(_, state, entry)| (state, entry));
        if state == wanted {
            best.offer(member.key(), || {
                let more = [
                    Cell::time(entry.map(|entry| entry.changed)),
                    Cell::code(entry.and_then(|entry| entry.error)),
                    Cell::Time(member.computer.last_contact_at),
                    Cell::time(member.computer.last_report_at),
                ];
                source.who(member.computer).into_iter().chain(more).collect()
            });
        }
        Ok(())
    })?;
    Ok(source.finish(best))
}

/// A9.
pub(super) fn health(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let group = source.group()?;
    let only: Option<HashSet<UpdateId>> = group.map(|(_, _, members)| members.into_iter().collect());
    let scope = source.scope()?;
    let counted = source.counts(&scope, only.as_ref())?;
    let days = i64::from(source.asked.count("days").unwrap_or(30));
    let before = source.now - jiff::SignedDuration::from_hours(24 * days);
    let mut health = [0_u64; Health::ALL.len()];
    source.each_computer(&scope, &mut |_, computer| {
        let scan = Scan::of(computer.last_sync_succeeded);
        let own = Health::of(computer.last_contact_at, computer.last_report_at, scan, before);
        for (count, _) in health.iter_mut().zip(Health::ALL).filter(|(_, known)| *known == own) {
            *count += 1;
        }
        Ok(())
    })?;
    let all = counted.computers.total();
    let row = |part: &str, item: String, count: u64| {
        vec![Cell::text(part), Cell::text(item), Cell::Count(count), Cell::share(count, all)]
    };
    let mut rows = vec![row("clients", "all".to_owned(), all)];
    rows.extend(Health::ALL.iter().zip(health).map(|(known, count)| row("clients", known.word().to_owned(), count)));
    let states = counted.computers;
    let unknown = states.unknown;
    rows.push(row("compliance", "compliant".to_owned(), states.compliant()));
    rows.push(row("compliance", "not compliant".to_owned(), all - states.compliant() - unknown));
    rows.push(row("compliance", "unknown".to_owned(), unknown));
    let mut lacking: Vec<(u64, UpdateId)> = counted
        .updates
        .iter()
        .map(|(update, counts)| (counts.needed() + counts.failed, *update))
        .filter(|(count, _)| *count > 0)
        .collect();
    lacking.sort_unstable_by_key(|(count, update)| (Reverse(*count), *update));
    for (count, update) in lacking.into_iter().take(TOP) {
        let [_, article, title] = source.what(update);
        let item = if article == Cell::Absent { title.to_string() } else { format!("{article}: {title}") };
        rows.push(row("articles", item, count));
    }
    Ok(source.all(rows))
}
