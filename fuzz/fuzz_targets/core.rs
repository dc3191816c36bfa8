//! Core fragments as computers read them: any text is read or refused, and what a document's fragment says is accepted
//! wherever the document is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::document::{CoreFragment, Limits};

fuzz_target!(|text: &str| {
    let limits = Limits { bytes: 1 << 20, elements: 10_000, ..Limits::default() };
    match CoreFragment::parse(text, &limits) {
        Ok(core) => {
            // Nothing of it depends on what came before.
            assert_eq!(CoreFragment::parse(text, &limits), Ok(core));
        }
        Err(error) => assert!(error.offset <= text.len()),
    }
});
