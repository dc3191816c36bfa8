//! What is inside the cookies of downstream servers: refused, or read and written to the same bytes.

use weir_server::decoders::cookies_again;

pub(super) fn run(data: &[u8]) -> bool {
    let cookies = cookies_again(data);
    for again in cookies.iter().flatten() {
        assert_eq!(again, data);
    }
    cookies.iter().any(Option::is_some)
}
