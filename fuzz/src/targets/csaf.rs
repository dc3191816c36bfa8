//! CSAF documents: any bytes are read or refused, and what is read goes through joining and judging.

use weir_model::exposure::{Builder, ComputerFacts, Content, Join, Limits, judge, read};
use weir_model::status::State;

pub(super) fn run(bytes: &[u8]) -> bool {
    let limits = Limits { bytes: 1 << 20, values: 20_000, ..Limits::default() };
    let head = br#"{"document":{"csaf_version":"2.0","title":"t","publisher":{"namespace":"u"},"tracking":{"id":"i","version":"1","current_release_date":"2031-01-01","initial_release_date":"2031-01-01"}},"#;
    let whole = [&head[..], bytes, b"}"].concat();
    let mut is_read = false;
    for bytes in [bytes, &whole] {
        let Ok(document) = read(bytes, &limits) else { continue };
        let Content::Advisory(advisory) = &document.content else { continue };
        is_read = true;
        let mut builder = Builder::default();
        builder.advisory(1, document.revision.at, advisory);
        let known = builder.finish();
        let join = Join::new(&known, &[]);
        for shape in &known.shapes {
            let facts = ComputerFacts { reported: true, os: None, state: &|_| State::Unknown };
            let _ = judge(&known, Some(shape), &join, &facts);
        }
    }
    is_read
}
