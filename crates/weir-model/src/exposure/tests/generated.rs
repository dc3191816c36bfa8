//! Any bytes are read or refused, and importing keeps its promises.

use proptest::prelude::*;

use super::file;
use crate::exposure::{Arrival, Limits, Revision, Stored, arrival, read};

fn limits() -> Limits {
    Limits {
        bytes: 1 << 16,
        values: 5_000,
        vulnerabilities: 100,
        products: 100,
        fixes: 200,
        references: 500,
        depth: 32,
    }
}

/// A document with a piece taken out, doubled or replaced.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let names = ["cvrf-1.1.xml", "msrc-form.xml", "msrc-form.json", "csaf-advisory.json", "csaf-vex.json", "kev.json"];
    (
        0..names.len(),
        any::<prop::sample::Index>(),
        0..200_usize,
        proptest::collection::vec(any::<u8>(), 0..20),
        any::<bool>(),
    )
        .prop_map(move |(name, at, length, put, twice)| {
            let text = file(names[name]);
            let from = at.index(text.len());
            let to = (from + length).min(text.len());
            let again = if twice { &text[from..to] } else { &[][..] };
            [&text[..from], &put, again, again, &text[to..]].concat()
        })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&bytes, &limits());
    }

    #[test]
    fn no_damage_panics(bytes in damaged()) {
        if let Ok(document) = read(&bytes, &limits()) {
            prop_assert!(document.id.chars().count() <= 256 && document.title.chars().count() <= 500);
            prop_assert!(document.content.len() <= 100);
            // the same bytes say the same
            prop_assert_eq!(Ok(document), read(&bytes, &limits()));
        }
    }

    #[test]
    fn markup_of_any_kind_is_read_or_refused(text in "(\\{|<)[\\[\\]{}<>/\"':,a-zA-Z0-9 &;!?-]{0,300}") {
        let _ = read(text.as_bytes(), &limits());
    }

    /// Whatever order files come in, and however often: in the end the newest revision is there.
    #[test]
    fn the_newest_revision_stays(revisions in proptest::collection::vec((0_i64..5, 0_u64..3, 0_u8..3), 1..20)) {
        let mut stored: Option<Stored> = None;
        for (day, version, digest) in &revisions {
            let at = jiff::Timestamp::from_second(day * 86_400).expect("a time");
            let revision = Revision { at, version: version.to_string() };
            let before = stored.clone();
            match arrival(stored.as_ref(), &revision, &[*digest; 32]) {
                Arrival::Added | Arrival::Replaced => stored = Some(Stored { revision: revision.clone(), digest: [*digest; 32] }),
                Arrival::Older | Arrival::Unchanged => {}
            }
            if let (Some(before), Some(now)) = (before, &stored) {
                prop_assert!(now.revision.compare(&before.revision).is_ge());
            }
            // once more changes nothing
            if let Some(now) = &stored {
                prop_assert_eq!(arrival(Some(now), &now.revision, &now.digest), Arrival::Unchanged);
            }
        }
    }
}
