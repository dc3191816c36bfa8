//! Texts of computers and of other servers that are too long for a key: PostgreSQL has room for 2,700 bytes in one.

use weir_model::ids::ContentDigest;

use super::{Scratch, software};
use crate::{
    computer::{Contact, Registration},
    revision::{FileSource, LONGEST_ADDRESS, LocalizedText},
};

/// A text of so many bytes in which nothing repeats, so that no engine makes it shorter.
fn long(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    };
    std::iter::repeat_with(&mut next).filter(|character| !"\"\\".contains(*character)).take(bytes).collect()
}

#[test]
fn computers_may_describe_themselves_at_any_length() {
    let scratch = Scratch::new();
    scratch.write(|tx| {
        for (name, tail) in [("a", "1"), ("b", "2")] {
            let contact = Contact {
                id: name.parse().expect("an id"),
                dns_name: long(20_000),
                ip_address: None,
                plain_http: false,
                requested_groups: Some(long(20_000)),
            };
            let (no, _) = tx.computer_contact(&contact)?;
            let registration = Registration {
                dns_name: long(20_000),
                os_locale: Some(format!(" {}{tail}", long(20_000))),
                processor_architecture: Some(long(20_000)),
                computer_model: Some(long(20_000)),
                ..Registration::default()
            };
            tx.computer_register(no, &registration)?;
        }
        Ok(())
    });
    let kinds = scratch.store.read(|tx| tx.rollup_own_kinds()).expect("reads");
    let lengths: Vec<_> =
        kinds.iter().map(|(os, count)| (os.os_locale.len(), os.processor_architecture.len(), *count)).collect();
    assert_eq!(lengths, [(64, 50, 2)], "what differs later is one kind");
    scratch.write(|tx| tx.rollup_own_kinds_put(&kinds));
    scratch.write(|tx| tx.rollup_own_kinds_put(&kinds));
    let stored = scratch.store.read(|tx| tx.rollup_clients(1)).expect("reads");
    assert_eq!(stored.iter().map(|kind| (&kind.os, kind.computers)).collect::<Vec<_>>(), [(&kinds[0].0, 2)]);
}

#[test]
fn addresses_of_files_that_are_too_long_are_left_out() {
    let scratch = Scratch::new();
    let digest = ContentDigest([7; 20]);
    let source = |url: String| FileSource { digest, url, origin: "package".to_owned() };
    let longest = long(LONGEST_ADDRESS);
    scratch.write(|tx| tx.file_source_add(&[source(long(5_000)), source(longest.clone())]));
    let urls = || scratch.store.read(|tx| tx.file_sources(digest)).expect("reads").into_iter().map(|source| source.url);
    assert_eq!(urls().collect::<Vec<_>>(), std::slice::from_ref(&longest));
    scratch.write(|tx| {
        tx.staged_source_add(digest, &long(5_000))?;
        tx.staged_source_add(digest, &longest)
    });
}

#[test]
fn names_of_languages_that_are_too_long_are_no_languages() {
    let scratch = Scratch::new();
    let mut revision = software(1, 1);
    revision.localized.push(LocalizedText { language: long(5_000), title: "Title".to_owned(), description: None });
    revision.languages = vec!["de".to_owned(), long(5_000)];
    scratch.import(vec![revision]);
    let known = scratch.store.read(|tx| tx.language_list()).expect("reads");
    assert!(known.contains(&"de".to_owned()) && known.iter().all(|name| name.len() < 100), "{known:?}");
}
