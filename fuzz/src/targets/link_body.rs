//! Bodies of the site link: what is read is written and read the same.

use weir_server::decoders::link_again;

pub(super) fn run(data: &[u8]) -> bool {
    let read = ["enrol", "enrolled", "feed", "news", "status"].map(|what| {
        let Some(first) = link_again(what, data) else { return false };
        assert_eq!(link_again(what, &first).as_ref(), Some(&first), "{what}");
        true
    });
    read.contains(&true)
}
