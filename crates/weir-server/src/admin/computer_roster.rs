//! What computers are called and when they called, in memory, so that people find them while they type, and lists can be sorted.

mod sort;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;
use weir_api::List;
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, roster::RosterRow};

pub(super) use self::sort::Sort;
use super::{AdminError, App, list};

/// Names, addresses and times of calls are read again after this, while the answer is given from what is here.
const AGE: Duration = Duration::from_secs(10);
/// Older than this it is not answered from.
const OLDEST: Duration = Duration::from_secs(60);
/// Of more computers than these that changed, reading all is quicker if they are more than a quarter.
const FEW: usize = 2_000;

/// All computers. Who came, who went, and who reported is followed; everything else is as it was when all were read.
#[derive(Debug)]
pub(crate) struct Roster {
    /// The change of computers up to which it follows.
    feed: u64,
    /// When all of them were read.
    read_at: Instant,
    as_of: Timestamp,
    rows: Vec<Arc<Listed>>,
    orders: Orders,
    alike: OnceLock<Arc<[u32]>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) row: RosterRow,
    /// Name, id and address in lower case, each on a line.
    key: String,
}

/// The place of each row in an order, made when it is first asked for: those that are alike have the same place.
type Order = OnceLock<Arc<[u32]>>;

/// All orders.
#[derive(Debug, Default)]
struct Orders {
    address: Order,
    first_seen: Order,
    key: Order,
    last_contact: Order,
    last_report: Order,
    name: Order,
}

/// How well a computer fits a text: smaller fits better.
type Rank = u8;

impl Roster {
    fn new(feed: u64, read_at: Instant, as_of: Timestamp, rows: Vec<Arc<Listed>>) -> Self {
        Self { feed, read_at, as_of, rows, orders: Orders::default(), alike: OnceLock::new() }
    }

    /// The computers as they are, or, in what is not followed, were not long ago.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let feed = app.read(|tx| tx.feed_version()).await?;
        let serves = |roster: &Arc<Self>| roster.read_at.elapsed() < OLDEST;
        let fresh = |roster: &Arc<Self>| roster.feed >= feed && serves(roster);
        let kept = || app.shared().roster.lock().clone();
        let found = if let Some(roster) = kept().filter(fresh) {
            roster
        } else {
            let turn = Arc::clone(&app.shared().roster_turn).lock_owned().await;
            match kept().filter(fresh) {
                Some(roster) => roster,
                None => Self::follow(app, kept().filter(serves), turn).await?,
            }
        };
        if found.read_at.elapsed() >= AGE {
            Self::renew(app);
        }
        Ok(found)
    }

    /// When what is not followed was read.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Reads what changed, or everything, in the turn of the caller.
    async fn follow(app: &App, known: Option<Arc<Self>>, turn: OwnedMutexGuard<()>) -> Result<Arc<Self>, AdminError> {
        let roster = app
            .read(move |tx| match known {
                Some(known) => known.followed(tx),
                None => Self::read(tx),
            })
            .await?;
        let roster = Arc::new(roster);
        *app.shared().roster.lock() = Some(Arc::clone(&roster));
        drop(turn);
        Ok(roster)
    }

    /// Reads everything anew on a task of its own, with the orders that were asked for, unless somebody does. Nobody waits for it.
    fn renew(app: &App) {
        let Ok(turn) = Arc::clone(&app.shared().roster_renewal).try_lock_owned() else { return };
        let app = app.clone();
        tokio::spawn(async move {
            let known = app.shared().roster.lock().clone();
            let read = app.read(move |tx| {
                let roster = Self::read(tx)?;
                if let Some(known) = known {
                    roster.prepare(&known);
                }
                Ok(roster)
            });
            match read.await {
                // what changed meanwhile is followed by the next question
                Ok(roster) => *app.shared().roster.lock() = Some(Arc::new(roster)),
                // the next list says so
                Err(error) => {
                    tracing::warn!(error = super::chain(&error), "what computers are called could not be read again");
                }
            }
            drop(turn);
        });
    }

    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let (feed, read_at, as_of) = (tx.feed_version()?, Instant::now(), Timestamp::now());
        let rows = tx.computer_roster()?.into_iter().map(|row| Arc::new(Listed::new(row))).collect();
        Ok(Self::new(feed, read_at, as_of, rows))
    }

    fn followed(&self, tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let feed = tx.feed_version()?;
        let changed: BTreeSet<u32> = tx.feed_since(self.feed)?.into_iter().collect();
        if changed.len() > FEW.max(self.rows.len() / 4) {
            return Self::read(tx);
        }
        let changed: Vec<u32> = changed.into_iter().collect();
        Ok(self.with(feed, &changed, tx.computer_roster_of(&changed)?))
    }

    /// The same with what was read again of some computers, whose numbers ascend; those of which there is no row are gone.
    fn with(&self, feed: u64, changed: &[u32], rows: Vec<RosterRow>) -> Self {
        let fresh: Vec<Arc<Listed>> = rows.into_iter().map(|row| Arc::new(Listed::new(row))).collect();
        let is_changed = |listed: &&Arc<Listed>| changed.binary_search(&listed.row.no).is_ok();
        let before = self.rows.iter().filter(is_changed);
        let are_called_the_same = before
            .map(|listed| (listed.row.no, &listed.key))
            .eq(fresh.iter().map(|listed| (listed.row.no, &listed.key)));
        let kept = self.rows.iter().filter(|listed| !is_changed(listed)).cloned();
        let mut rows: Vec<Arc<Listed>> = kept.chain(fresh).collect();
        rows.sort_by_key(|listed| listed.row.no);
        let mut roster = Self::new(feed, self.read_at, self.as_of, rows);
        if are_called_the_same {
            roster.orders = self.orders.of_names();
            roster.alike = self.alike.clone();
        }
        roster
    }

    fn prepare(&self, known: &Self) {
        let asked = [
            (&known.orders.address, Sort::Address),
            (&known.orders.first_seen, Sort::FirstSeen),
            (&known.orders.last_contact, Sort::LastContact),
            (&known.orders.last_report, Sort::LastReport),
            (&known.orders.name, Sort::Name),
        ];
        for (_, by) in asked.into_iter().filter(|(order, _)| order.get().is_some()) {
            self.order(by);
        }
        if known.orders.key.get().is_some() {
            self.order_of_keys();
        }
    }

    /// The row numbers of computers that have a text in name, id or address, ascending.
    pub(crate) fn matching(&self, text: &str) -> Vec<u32> {
        let text = text.trim().to_lowercase();
        self.rows.iter().filter(|listed| listed.key.contains(&text)).map(|listed| listed.row.no).collect()
    }

    /// The place of a computer in the order of names; none if it is not here.
    pub(crate) fn place(&self, no: u32) -> Option<usize> {
        let at = self.rows.binary_search_by_key(&no, |listed| listed.row.no).ok()?;
        self.order_of_keys().get(at).map(|place| *place as usize)
    }

    /// Those of computers, whose numbers ascend, that come first by name, so many at most, ascending by number. What is not here comes
    /// last.
    pub(crate) fn first(&self, computers: &[u32], most: usize) -> Vec<u32> {
        let place = |no: &u32| (self.place(*no).unwrap_or(usize::MAX), *no);
        let mut placed: Vec<(usize, u32)> = computers.iter().map(place).collect();
        if most > 0 && placed.len() > most {
            placed.select_nth_unstable(most);
            placed.truncate(most);
        }
        let mut first: Vec<u32> = placed.into_iter().map(|(_, no)| no).collect();
        first.sort_unstable();
        first
    }

    fn order_of_keys(&self) -> &[u32] {
        self.orders.key.get_or_init(|| places(&self.rows, |listed| listed.key.as_str()))
    }

    /// The row numbers of computers of this server that share a name, ascending.
    pub(crate) fn alike(&self) -> &[u32] {
        self.alike.get_or_init(|| {
            let mut by_name: HashMap<&str, (u32, bool)> = HashMap::with_capacity(self.rows.len());
            let mut alike = Vec::new();
            let here = self.rows.iter().filter(|listed| listed.row.site == THIS_SERVER);
            for (name, no) in
                here.map(|listed| (listed.name().trim(), listed.row.no)).filter(|(name, _)| !name.is_empty())
            {
                match by_name.get_mut(name) {
                    None => {
                        by_name.insert(name, (no, false));
                    }
                    Some((first, several)) => {
                        if !std::mem::replace(several, true) {
                            alike.push(*first);
                        }
                        alike.push(no);
                    }
                }
            }
            alike.sort_unstable();
            alike.into()
        })
    }

    /// The computers that fit a text best, and how many fit, among those that are seen.
    pub(crate) fn best(&self, text: &str, most: usize, sees: &dyn Fn(u32) -> bool) -> (Vec<&Listed>, u64) {
        let text = text.trim().to_lowercase();
        let fitting = self.rows.iter().filter_map(|listed| Some((listed.rank(&text)?, &**listed)));
        let mut found: Vec<(Rank, &Listed)> = fitting.filter(|(_, listed)| sees(listed.row.no)).collect();
        let count = found.len() as u64;
        let order =
            |(a, one): &(Rank, &Listed), (b, other): &(Rank, &Listed)| a.cmp(b).then_with(|| one.key.cmp(&other.key));
        // a letter fits most of them, and few are shown
        if most > 0 && found.len() > most {
            found.select_nth_unstable_by(most, order);
            found.truncate(most);
        }
        found.sort_by(order);
        (found.into_iter().take(most).map(|(_, listed)| listed).collect(), count)
    }

    /// The place of each row in an order.
    fn order(&self, by: Sort) -> &[u32] {
        let (rows, orders) = (&self.rows, &self.orders);
        match by {
            // as addresses, so that .9 comes before .10
            Sort::Address => orders.address.get_or_init(|| {
                places(rows, |listed| {
                    listed.row.ip_address.as_deref().map(|address| (address.parse::<IpAddr>().ok(), address))
                })
            }),
            Sort::FirstSeen => orders.first_seen.get_or_init(|| places(rows, |listed| listed.row.first_contact_at)),
            Sort::LastContact => orders.last_contact.get_or_init(|| places(rows, |listed| listed.row.last_contact_at)),
            Sort::LastReport => orders.last_report.get_or_init(|| places(rows, |listed| listed.row.last_report_at)),
            Sort::Name => orders.name.get_or_init(|| places(rows, Listed::name)),
        }
    }

    /// A page of computers, whose numbers ascend, in an order; those of which nothing is known come last.
    pub(super) fn page(
        &self,
        computers: &[u32],
        (by, descending): (Sort, bool),
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<List<u32>, AdminError> {
        let mut rows = self.rows.iter().zip(self.order(by)).peekable();
        let mut placed = Vec::with_capacity(computers.len());
        for no in computers {
            while rows.next_if(|(listed, _)| listed.row.no < *no).is_some() {}
            let place = match rows.peek() {
                Some((listed, place)) if listed.row.no == *no && descending => u32::MAX - 1 - **place,
                Some((listed, place)) if listed.row.no == *no => **place,
                _ => u32::MAX,
            };
            placed.push((place, *no));
        }
        list::page_of_numbers(placed, cursor, limit)
    }
}

impl Orders {
    /// Those that do not depend on when computers were here.
    fn of_names(&self) -> Self {
        let (address, key, name) = (self.address.clone(), self.key.clone(), self.name.clone());
        Self { address, key, name, ..Self::default() }
    }
}

/// The place of each row by a key; those with the same key have the same place.
fn places<'r, K: Ord>(rows: &'r [Arc<Listed>], key: impl Fn(&'r Listed) -> K) -> Arc<[u32]> {
    let mut sorted: Vec<(K, u32)> = rows.iter().zip(0_u32..).map(|(listed, at)| (key(listed), at)).collect();
    sorted.sort_unstable();
    let mut places = vec![0; rows.len()];
    let (mut place, mut before): (u32, Option<&K>) = (0, None);
    for (key, at) in &sorted {
        place += u32::from(before.is_some_and(|before| before != key));
        before = Some(key);
        if let Some(held) = places.get_mut(*at as usize) {
            *held = place;
        }
    }
    places.into()
}

impl Listed {
    fn new(row: RosterRow) -> Self {
        let address = row.ip_address.as_deref().unwrap_or_default();
        let key = format!("{}\n{}\n{address}", row.dns_name, row.id).to_lowercase();
        Self { row, key }
    }

    /// The name in lower case.
    fn name(&self) -> &str {
        self.key.split('\n').next().unwrap_or_default()
    }

    /// None if it does not fit.
    fn rank(&self, text: &str) -> Option<Rank> {
        let parts = || self.key.split('\n');
        if parts().any(|part| part == text) {
            return Some(0);
        }
        if parts().any(|part| part.starts_with(text)) {
            return Some(1);
        }
        self.key.contains(text).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn row(no: u32, name: &str, address: &str) -> RosterRow {
        RosterRow {
            no,
            site: THIS_SERVER,
            id: format!("id-{no}"),
            dns_name: name.to_owned(),
            ip_address: (!address.is_empty()).then(|| address.to_owned()),
            first_contact_at: Timestamp::UNIX_EPOCH,
            last_contact_at: Timestamp::from_second(i64::from(no)).expect("in range"),
            last_report_at: None,
        }
    }

    fn roster() -> Roster {
        let rows = [row(1, "PC-10.example", "192.0.2.10"), row(2, "pc-1.example", "192.0.2.9"), row(3, "server", "")];
        of(rows)
    }

    fn of(rows: impl IntoIterator<Item = RosterRow>) -> Roster {
        let rows = rows.into_iter().map(|row| Arc::new(Listed::new(row))).collect();
        Roster::new(1, Instant::now(), Timestamp::UNIX_EPOCH, rows)
    }

    fn numbers(found: &[&Listed]) -> Vec<u32> {
        found.iter().map(|listed| listed.row.no).collect()
    }

    #[test]
    fn the_best_come_first() {
        let roster = roster();
        let (found, count) = roster.best(" PC-1", 10, &|_| true);
        assert_eq!((numbers(&found), count), (vec![2, 1], 2));
        assert_eq!(numbers(&roster.best("192.0.2.1", 10, &|_| true).0), [1]);
        assert_eq!(numbers(&roster.best("id-3", 10, &|_| true).0), [3]);
        let (found, count) = roster.best("example", 1, &|_| true);
        assert_eq!((found.len(), count), (1, 2));
        assert_eq!(numbers(&roster.best("example", 10, &|no| no == 1).0), [1], "what is not seen is not found");
        assert_eq!(roster.matching("EXAMPLE"), [1, 2]);
        assert!(roster.matching("nothing").is_empty());
    }

    #[test]
    fn computers_are_sorted_with_a_stable_end() {
        let roster = roster();
        let sorted = |text: &str| {
            let mut cursor: Option<String> = None;
            let mut found = Vec::new();
            // page by page as at once
            loop {
                let sort = Sort::parse(text).expect("known");
                let page = roster.page(&[1, 2, 3, 7, 9], sort, cursor.as_deref(), 2).expect("a page");
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let at_once = roster.page(&[1, 2, 3, 7, 9], Sort::parse(text).expect("known"), None, 5).expect("a page");
            assert_eq!((&at_once.items, at_once.next), (&found, None));
            found
        };
        assert_eq!(sorted("name"), [2, 1, 3, 7, 9], "what is not known is last");
        assert_eq!(sorted("name:desc"), [3, 1, 2, 7, 9]);
        assert_eq!(sorted("address:asc"), [3, 2, 1, 7, 9], "as addresses, none first");
        assert_eq!(sorted("last_contact"), [3, 2, 1, 7, 9]);
        assert_eq!(sorted("last_report:asc"), [1, 2, 3, 7, 9]);
        assert_eq!(sorted("last_report:desc"), [1, 2, 3, 7, 9], "those that are alike by number");
        assert!(Sort::parse("colour").is_err() && Sort::parse("name:up").is_err());
        assert!(roster.page(&[1, 3], (Sort::Name, false), Some("2"), 2).is_err(), "it is not of the list");
        assert_eq!([1, 2, 3, 9].map(|most| roster.first(&[1, 2, 3, 7], most).len()), [1, 2, 3, 4]);
        assert_eq!((roster.first(&[1, 2, 3, 7], 1), roster.first(&[1, 3, 7], 2)), (vec![2], vec![1, 3]));
        let places = [1, 2, 3, 4].map(|no| roster.place(no));
        assert_eq!(places, [Some(1), Some(0), Some(2), None]);
    }

    #[test]
    fn a_new_reading_makes_the_orders_that_were_asked_for() {
        let (known, new) = (roster(), roster());
        known.order(Sort::Address);
        known.place(1);
        new.prepare(&known);
        let made = |order: &Order| order.get().is_some();
        assert!(made(&new.orders.address) && made(&new.orders.key) && !made(&new.orders.name));
    }

    #[test]
    fn what_changed_takes_the_place_of_what_was_there() {
        let known = roster();
        known.order(Sort::Name);
        known.order(Sort::LastContact);
        // it called, and nothing else
        let called = RosterRow {
            last_contact_at: Timestamp::from_second(99).expect("in range"),
            ..row(1, "PC-10.example", "192.0.2.10")
        };
        let followed = known.with(2, &[1], vec![called]);
        assert!(followed.orders.name.get().is_some() && followed.orders.last_contact.get().is_none());
        assert_eq!(followed.page(&[1, 2, 3], (Sort::LastContact, true), None, 9).expect("a page").items, [1, 3, 2]);
        // one is renamed, one is gone, one came
        let renamed = followed.with(3, &[2, 3, 4], vec![row(2, "zz", ""), row(4, "aa", "")]);
        assert!(renamed.orders.name.get().is_none());
        assert_eq!(renamed.page(&[1, 2, 4], (Sort::Name, false), None, 9).expect("a page").items, [4, 1, 2]);
        assert_eq!((renamed.feed, renamed.matching("server"), renamed.matching("a")), (3, Vec::new(), vec![1, 4]));
        let numbers: Vec<u32> = renamed.rows.iter().map(|listed| listed.row.no).collect();
        assert_eq!(numbers, [1, 2, 4]);
    }

    #[test]
    fn names_that_several_have_are_found() {
        let elsewhere = RosterRow { site: 2, ..row(5, "one", "") };
        let named =
            [(1, "one"), (2, "Two"), (3, ""), (4, " two "), (6, ""), (7, "TWO")].map(|(no, name)| row(no, name, ""));
        let roster = of(named.into_iter().chain([elsewhere]));
        assert_eq!(roster.alike(), [2, 4, 7]);
        assert!(of([row(1, "one", "")]).alike().is_empty());
    }
}
