//! Files that administrators import: packages and documents, as the server takes them to pieces before anything is written.

use std::io::Cursor;

use weir_server::import::{Batch, Input};

pub(super) fn run(data: &[u8]) -> bool {
    let input = |name: &str| Input { name: name.to_owned(), source: Box::new(Cursor::new(data.to_vec())) };
    let named = Batch::read(vec![input("a.cab")], &|_, _, _| {}).expect("memory can be read");
    let batch = Batch::read(vec![input("a")], &|_, _, _| {}).expect("memory can be read");
    let (result, named) = (&batch.result, &named.result);
    // the name says nothing of the content, only that what is no package was meant as one
    assert_eq!(result.rejected + result.skipped, named.rejected + named.skipped);
    assert!(!batch.failed || result.rejected > 0);
    !batch.failed && result.rejected == 0 && result.skipped == 0
}
