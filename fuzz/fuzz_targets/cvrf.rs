//! CVRF documents, XML and JSON: any bytes are read or refused, always the same way.

#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::exposure::{Limits, read};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 20, values: 20_000, ..Limits::default() };
    let first = read(bytes, &limits);
    assert_eq!(first, read(bytes, &limits));
    // half of all inputs go where XML is read
    let xml = [&b"<cvrfdoc xmlns=\"http://www.icasi.org/CVRF/schema/cvrf/1.1\">"[..], bytes, b"</cvrfdoc>"].concat();
    let _ = read(&xml, &limits);
    let json = [&b"{\"DocumentTracking\":{\"Identification\":{\"ID\":\"x\"},\"CurrentReleaseDate\":\"2031-01-01\"},"[..], bytes, b"}"].concat();
    let _ = read(&json, &limits);
});
