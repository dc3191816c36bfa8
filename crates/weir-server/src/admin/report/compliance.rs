//! Group A: compliance.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use jiff::tz::TimeZone;
use weir_model::{
    freshness::{Freshness, Tally as Classes, judge},
    ids::{CollectionId, UpdateId},
    report::{Cell, Row, states::word},
    status::{Counts, Entry, State},
};
use weir_store::report::ReportComputer;

use super::{
    super::AdminError,
    shown::{SHOWN, counts_of, percent},
    source::{Scope, Source, asked_state, one_state, required},
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
    let scope = source.scope()?;
    let (silent, not_reporting) = source.unheard(&scope)?;
    let updates: Vec<HashSet<UpdateId>> =
        groups.iter().map(|(_, _, members)| members.iter().copied().collect()).collect();
    let questions: Vec<Option<&HashSet<UpdateId>>> = updates.iter().map(Some).collect();
    let counted = source.stands(&scope, &questions)?;
    let rows = groups.into_iter().zip(&counted).map(|((id, name, members), stood)| {
        let (counts, not_asked) = (&stood.all.states, stood.all.not_asked);
        let head = [
            Cell::Id(id.to_string()),
            Cell::text(name),
            Cell::Count(members.len() as u64),
            Cell::Count(counts.total()),
            Cell::Count(counts.compliant()),
            percent(counts, counts.total() - not_asked),
        ];
        let states = [State::Required, State::Downloaded, State::PendingRestart, State::Failed, State::Unknown];
        let current = stood.current(Counts::compliant);
        let more = [not_asked, silent, not_reporting, current].map(Cell::Count);
        head.into_iter().chain(counts_of(counts, &states)).chain(more).collect()
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
        let seen = rows.filter(|row| row.id == CollectionId::ALL_COMPUTERS || source.tree.sees(row.id));
        let meant = seen.filter(|row| within == CollectionId::ALL_COMPUTERS || source.tree.is_within(row.id, within));
        let mut collections: Vec<_> = meant.map(|row| (row.id, row.name.clone())).collect();
        collections.sort_by_cached_key(|(id, name)| (name.to_lowercase(), *id));
        Ok(Self { source, collections, known: HashMap::new() })
    }

    /// Places in `collections`.
    pub(super) fn of(&mut self, groups: &[CollectionId]) -> &[usize] {
        let (source, collections) = (self.source, &self.collections);
        self.known.entry(groups.to_vec()).or_insert_with(|| {
            let held = collections.iter().enumerate().filter(|(_, (id, _))| source.tree.holds_any(*id, groups));
            held.map(|(at, _)| at).collect()
        })
    }
}

/// A2.
pub(super) fn update(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let mut places = Places::new(source)?;
    let mut counted = vec![(Counts::default(), 0_u64); places.collections.len()];
    let scope = Scope { site: source.site()?, ..Scope::default() };
    let mut sets: HashMap<u32, (Vec<CollectionId>, Counts, u64)> = HashMap::new();
    source.survey(&scope, Some(&HashSet::from([update])), &mut |seen| {
        let own = sets.entry(seen.set).or_insert_with(|| (seen.collections.to_vec(), Counts::default(), 0));
        own.1.add(one_state(seen));
        own.2 += u64::from(seen.asked);
    })?;
    for (groups, own, is_asked) in sets.values() {
        for at in places.of(groups) {
            let Some((counts, asked)) = counted.get_mut(*at) else { continue };
            for state in State::ALL {
                counts.add_many(state, own.of(state));
            }
            *asked += is_asked;
        }
    }
    let rows = places.collections.iter().zip(&counted).map(|((id, name), (counts, asked))| {
        let head = [Cell::Id(id.to_string()), Cell::text(name), Cell::Count(counts.total()), percent(counts, *asked)];
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
            let what = source.what(update).into_iter().chain([counted.percent(update)]);
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
    for update in counted.updates.keys() {
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
            let more = [vendor, Cell::time(entry.created_at), counted.percent(*update)];
            what.chain(more).chain(counts_of(&counted.of(*update), &SHOWN)).collect()
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
    source.one(&mut |member| {
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
    Ok(source.counts(scope, Some(&HashSet::from([update])))?.of(update))
}

/// A7.
pub(super) fn group_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let (_, _, members) = required(source.group()?, "group")?;
    let wanted = required(asked_state(source.asked), "state")?;
    let rule = source.rule()?;
    let mut found: HashMap<u32, (Counts, bool, bool)> = HashMap::new();
    source.survey(&source.scope()?, Some(&members.into_iter().collect()), &mut |seen| {
        if seen.state() == wanted {
            found.insert(seen.no, (seen.counts, seen.asked, seen.reported()));
        }
    })?;
    let row = |computer: &ReportComputer| -> Row {
        let (counts, asked, reported) = found.get(&computer.no).copied().unwrap_or_default();
        let (reason, error) = source.why(computer, (wanted, asked, reported), &rule);
        let more = [
            Cell::Count(counts.needed()),
            Cell::Count(counts.failed),
            Cell::Count(counts.unknown),
            reason,
            Cell::code(error),
            Cell::Time(computer.last_contact_at),
            Cell::time(computer.last_report_at),
        ];
        source.who(computer).into_iter().chain(more).collect()
    };
    Ok(source.named(found.keys().copied())?.iter().map(row).collect())
}

/// A8.
pub(super) fn update_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let wanted = required(asked_state(source.asked), "state")?;
    let rule = source.rule()?;
    let mut found: HashMap<u32, (bool, bool)> = HashMap::new();
    source.survey(&source.scope()?, Some(&HashSet::from([update])), &mut |seen| {
        if one_state(seen) == wanted {
            found.insert(seen.no, (seen.asked, seen.reported()));
        }
    })?;
    let computers = source.named(found.keys().copied())?;
    // since when, and why, is read of those that are shown; of what is not listed nothing is said
    let mut entries: HashMap<u32, Entry> = HashMap::new();
    if let Some(number) = source.live.current().status_number(update)
        && !matches!(wanted, State::Unknown | State::NotApplicable)
    {
        let mut numbers: Vec<u32> = computers.iter().map(|computer| computer.no).collect();
        numbers.sort_unstable();
        source.statuses(&numbers, &mut |computer, status| {
            entries.extend(status.entry(number).map(|entry| (computer.no, *entry)));
        })?;
    }
    let row = |computer: &ReportComputer| -> Row {
        let entry = entries.get(&computer.no);
        let (asked, reported) = found.get(&computer.no).copied().unwrap_or_default();
        let (reason, error) = source.why(computer, (wanted, asked, reported), &rule);
        let more = [
            Cell::time(entry.map(|entry| entry.changed)),
            reason,
            Cell::code(entry.and_then(|entry| entry.error).or(error)),
            Cell::Time(computer.last_contact_at),
            Cell::time(computer.last_report_at),
        ];
        source.who(computer).into_iter().chain(more).collect()
    };
    Ok(computers.iter().map(row).collect())
}

/// A9.
pub(super) fn health(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let group = source.group()?;
    let only: Option<HashSet<UpdateId>> = group.map(|(_, _, members)| members.into_iter().collect());
    let scope = source.scope()?;
    let counted = source.counts(&scope, only.as_ref())?;
    let rule = source.rule()?;
    let mut classes = Classes::default();
    source.each_heard(&scope, &mut |heard, _| classes.add(&judge(&heard.facts, &rule, source.now)))?;
    let states = counted.tally.states;
    let all = states.total();
    let row = |part: &str, item: String, count: u64| {
        vec![Cell::text(part), Cell::text(item), Cell::Count(count), Cell::share(count, all)]
    };
    let mut rows = vec![row("clients", "all".to_owned(), all)];
    let current_first = Freshness::ALL.into_iter().rev();
    rows.extend(current_first.map(|class| row("clients", class.word().to_owned(), classes.of(class))));
    let unknown = states.unknown;
    rows.push(row("compliance", "compliant".to_owned(), states.compliant()));
    rows.push(row("compliance", "compliant, current".to_owned(), counted.compliant_current));
    rows.push(row("compliance", "not compliant".to_owned(), all - states.compliant() - unknown));
    rows.push(row("compliance", "unknown".to_owned(), unknown));
    rows.push(row("compliance", "unknown, not asked".to_owned(), counted.tally.not_asked));
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
