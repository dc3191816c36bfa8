//! Core fragments as computers read them: any text is read or refused, and what a document's fragment says is accepted
//! wherever the document is.

use weir_model::document::{CoreFragment, Limits};

pub(super) fn run(data: &[u8]) -> bool {
    let text = &*String::from_utf8_lossy(data);
    let limits = Limits { bytes: 1 << 20, elements: 10_000, ..Limits::default() };
    match CoreFragment::parse(text, &limits) {
        Ok(core) => {
            // Nothing of it depends on what came before.
            assert_eq!(CoreFragment::parse(text, &limits), Ok(core));
            true
        }
        Err(error) => {
            assert!(error.offset <= text.len());
            false
        }
    }
}
