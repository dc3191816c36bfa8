//! CVRF documents, XML and JSON: any bytes are read or refused, always the same way.

use weir_model::exposure::{Limits, read};

pub(super) fn run(bytes: &[u8]) -> bool {
    let limits = Limits { bytes: 1 << 20, values: 20_000, ..Limits::default() };
    let first = read(bytes, &limits);
    assert_eq!(first, read(bytes, &limits));
    // half of all inputs go where XML is read
    let xml = [&b"<cvrfdoc xmlns=\"http://www.icasi.org/CVRF/schema/cvrf/1.1\">"[..], bytes, b"</cvrfdoc>"].concat();
    let xml = read(&xml, &limits);
    let json = [
        &b"{\"DocumentTracking\":{\"Identification\":{\"ID\":\"x\"},\"CurrentReleaseDate\":\"2031-01-01\"},"[..],
        bytes,
        b"}",
    ]
    .concat();
    let json = read(&json, &limits);
    first.is_ok() || xml.is_ok() || json.is_ok()
}
