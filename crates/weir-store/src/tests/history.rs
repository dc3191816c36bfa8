//! History of compliance.

use jiff::civil::date;
use uuid::Uuid;
use weir_model::{
    history::{Day, Series, Subject},
    ids::CollectionId,
    status::Counts,
};

use super::{Scratch, time};

const GROUP: Subject = Subject::Group(Uuid::from_u128(5));
const RING: Subject = Subject::GroupIn(Uuid::from_u128(5), CollectionId(Uuid::from_u128(6)));

fn series(year: i16, installed: u64) -> Vec<u8> {
    let mut series = Series::default();
    series.record(Day::of(date(year, 3, 1)), Counts { installed, ..Counts::default() });
    series.encode()
}

#[test]
fn series_come_back_and_are_replaced_by_year() {
    let scratch = Scratch::new();
    let no = scratch.write(|tx| {
        let no = tx.history_subject_put(&GROUP, "March")?;
        tx.history_put(no, 2025, &series(2025, 1))?;
        tx.history_put(no, 2026, &series(2026, 2))?;
        tx.history_put(no, 2026, &series(2026, 3))?;
        Ok(no)
    });
    let scratch = scratch.reopen();
    let parts = scratch.store.read(|tx| tx.history_parts(no)).expect("reads");
    assert_eq!(parts, [(2025, series(2025, 1)), (2026, series(2026, 3))]);
    assert_eq!(scratch.store.read(|tx| tx.history_part(no, 2026)).expect("reads"), Some(series(2026, 3)));
    assert_eq!(scratch.store.read(|tx| tx.history_part(no, 2024)).expect("reads"), None);
    let old = scratch.store.read(|tx| tx.history_until(2025)).expect("reads");
    assert_eq!(old, [(no, 2025, series(2025, 1))]);
    let bytes = (series(2025, 1).len() + series(2026, 3).len()) as u64;
    assert_eq!(scratch.store.read(|tx| tx.history_size()).expect("reads"), (1, bytes));
}

#[test]
fn a_subject_keeps_its_last_name_and_goes_with_its_last_series() {
    let scratch = Scratch::new();
    let (group, ring) = scratch.write(|tx| {
        let group = tx.history_subject_put(&GROUP, "March")?;
        assert_eq!(tx.history_subject_put(&GROUP, "March 2026")?, group);
        tx.history_put(group, 2026, &series(2026, 1))?;
        let ring = tx.history_subject_put(&RING, "March 2026 in Pilot")?;
        tx.history_put(ring, 2026, &series(2026, 1))?;
        Ok((group, ring))
    });
    scratch.write(|tx| {
        tx.history_subject_gone(group, time(10))?;
        tx.history_subject_gone(group, time(20))
    });
    let row = scratch.store.read(|tx| tx.history_subject(&GROUP)).expect("reads").expect("is kept");
    assert_eq!((row.name.as_str(), row.gone_at, row.subject), ("March 2026", Some(time(10)), GROUP));
    // it is there again
    scratch.write(|tx| tx.history_subject_put(&GROUP, "March 2026"));
    assert_eq!(scratch.store.read(|tx| tx.history_subject(&GROUP)).expect("reads").expect("kept").gone_at, None);
    scratch.write(|tx| tx.history_delete(ring, 2026));
    assert_eq!(scratch.write(|tx| tx.history_subjects_prune()), 1);
    let left = scratch.store.read(|tx| tx.history_subjects()).expect("reads");
    assert_eq!(left.iter().map(|row| row.no).collect::<Vec<_>>(), [group]);
}
