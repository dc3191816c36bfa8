//! Sheets that are kept, so that lists and summaries are answered from what was counted before and from what changed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use weir_model::{
    compliance::{Index, Sheet},
    status::UpdateNumber,
};

/// Bytes of sheets that are kept; those that nobody asked for the longest go first.
const MOST: usize = 64 << 20;
/// A sheet that nobody asked for so long is not kept up to date any more.
const IDLE: Duration = Duration::from_hours(1);

/// What a sheet is about: numbers of updates that ascend, or all that each computer is asked about.
pub(super) type Key = Option<Box<[UpdateNumber]>>;

/// Sheets of one index. One request brings them up to date at a time.
#[derive(Debug, Default)]
pub(super) struct Sheets(Mutex<BTreeMap<Key, Kept>>);

#[derive(Debug)]
struct Kept {
    sheet: Arc<Sheet>,
    asked_at: Instant,
}

impl Sheets {
    /// The sheets of these questions, in their order, as the index is.
    pub(super) fn of(&self, index: &Index, keys: &[Key]) -> Vec<Arc<Sheet>> {
        let mut kept = self.0.lock();
        let (now, before) = (Instant::now(), kept.len());
        for key in keys {
            let made =
                || Kept { sheet: Arc::new(Sheet::new(key.as_deref().map(|only| only.iter().copied()))), asked_at: now };
            kept.entry(key.clone()).or_insert_with(made).asked_at = now;
        }
        let wanted: BTreeSet<&Key> = keys.iter().collect();
        refresh(index, &mut kept, &wanted);
        let found = keys.iter().filter_map(|key| kept.get(key)).map(|kept| Arc::clone(&kept.sheet)).collect();
        if kept.len() > before {
            trim(&mut kept);
        }
        found
    }

    /// Forgets what nobody asked for, and gives the questions of the rest.
    pub(super) fn asked(&self) -> Vec<Key> {
        let mut kept = self.0.lock();
        kept.retain(|_, kept| kept.asked_at.elapsed() < IDLE);
        kept.keys().cloned().collect()
    }

    /// Brings some sheets up to date, of those that are kept.
    pub(super) fn renew(&self, index: &Index, keys: &[Key]) {
        refresh(index, &mut self.0.lock(), &keys.iter().collect());
    }

    /// The same questions about another index, which nobody counted yet.
    pub(super) fn again(&self) -> Self {
        let kept = self.0.lock();
        let empty = kept.iter().map(|(key, kept)| {
            let sheet = Arc::new(Sheet::new(key.as_deref().map(|only| only.iter().copied())));
            (key.clone(), Kept { sheet, asked_at: kept.asked_at })
        });
        Self(Mutex::new(empty.collect()))
    }

    /// Bytes of memory that they take, about.
    pub(super) fn bytes(&self) -> usize {
        self.0.lock().values().map(|kept| kept.sheet.bytes()).sum()
    }
}

/// Those that cannot follow are counted in one pass.
fn refresh(index: &Index, kept: &mut BTreeMap<Key, Kept>, wanted: &BTreeSet<&Key>) {
    let stale = kept.iter_mut().filter(|(key, kept)| wanted.contains(key) && !index.is_followed(&kept.sheet));
    // who still reads the former answer keeps it
    let mut stale: Vec<&mut Sheet> = stale.map(|(_, kept)| Arc::make_mut(&mut kept.sheet)).collect();
    if !stale.is_empty() {
        index.refresh(&mut stale);
    }
}

fn trim(kept: &mut BTreeMap<Key, Kept>) {
    let mut bytes: usize = kept.values().map(|kept| kept.sheet.bytes()).sum();
    if bytes <= MOST {
        return;
    }
    let mut oldest: Vec<(Instant, Key, usize)> =
        kept.iter().map(|(key, kept)| (kept.asked_at, key.clone(), kept.sheet.bytes())).collect();
    oldest.sort_unstable();
    for (_, key, size) in oldest {
        if bytes <= MOST {
            return;
        }
        kept.remove(&key);
        bytes = bytes.saturating_sub(size);
    }
}

#[cfg(test)]
mod tests {
    use weir_model::{
        compliance::{Asked, Computer},
        ids::{ChangeNumber, CollectionId},
        status::{ListedStates, State},
    };

    use super::*;

    fn put(index: &mut Index, no: u32, state: State) {
        let asked: Arc<[Asked]> =
            [1, 2].map(|number| Asked { update: UpdateNumber(number), entered: ChangeNumber(1) }).into();
        let listed = ListedStates {
            anchor: Some(ChangeNumber(5)),
            others: vec![(UpdateNumber(2), state)],
            ..ListedStates::default()
        };
        let groups = [CollectionId::UNASSIGNED_COMPUTERS];
        index.put(Computer { no, site: 1, groups: &groups, listed: &listed }, &mut |_| Arc::clone(&asked));
    }

    fn key(numbers: &[u32]) -> Key {
        (!numbers.is_empty()).then(|| numbers.iter().copied().map(UpdateNumber).collect())
    }

    #[test]
    fn a_sheet_is_kept_and_follows() {
        let mut index = Index::default();
        put(&mut index, 1, State::Failed);
        let sheets = Sheets::default();
        let asked = [key(&[2]), None, key(&[2])];
        let failed = |index: &Index, sheet: &Sheet| index.add_up(sheet, &index.members(None, &|_| true)).states.failed;
        let found = sheets.of(&index, &asked);
        assert_eq!(found.iter().map(|sheet| failed(&index, sheet)).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(Arc::ptr_eq(&found[0], &found[2]), "one question has one sheet");
        put(&mut index, 2, State::Failed);
        assert_eq!(sheets.asked(), [None, key(&[2])]);
        sheets.renew(&index, &[key(&[2]), key(&[7])]);
        let later = sheets.of(&index, &asked);
        assert_eq!((failed(&index, &later[0]), failed(&index, &later[1])), (2, 2));
        assert!(sheets.asked().len() == 2 && sheets.bytes() > 0, "what nobody asked for is not kept");
        // who had the former answer still has it
        assert!(!index.is_followed(&found[0]) && index.is_followed(&later[0]));
        let again = sheets.again();
        assert_eq!(again.asked(), sheets.asked());
        assert_eq!(failed(&index, &again.of(&index, &asked)[0]), 2);
    }
}
