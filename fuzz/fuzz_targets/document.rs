//! Update documents: reading and deriving agree on what is acceptable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::document::{self, Fragments, Limits, UpdateDocument};

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let read = document::read(text, &limits);
    let parsed = UpdateDocument::parse(text, &limits);
    if let Ok((document, fragments)) = read {
        assert_eq!(parsed.as_ref(), Ok(&document));
        assert_eq!(Fragments::derive_within(text, &limits).as_ref(), Ok(&fragments));
    }
});
