//! Which bytes of a file an HTTP request wants (RFC 9110 sections 13 and 14). Pure.

use std::ops::Range;

use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;

/// More ranges than this in one request are answered with the whole file.
const RANGES_LIMIT: usize = 64;
/// A Range header longer than this is not read.
const HEADER_LIMIT: usize = 4_096;

/// What of a file to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selection {
    /// Several parts, none empty, none overlapping, in the order of the request.
    Many(Vec<Range<u64>>),
    /// One part, not empty.
    One(Range<u64>),
    /// 416: nothing of what was asked for exists.
    Unsatisfiable,
    /// Everything.
    Whole,
}

/// How to answer a request for an existing file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// 304 or 412, without a body.
    Condition(StatusCode),
    /// 200, 206 or 416.
    Send(Selection),
}

/// Decides on preconditions, then on ranges. `etag` is the strong entity tag with its quotes, `modified` the file's
/// Last-Modified.
pub fn answer(method: &Method, headers: &HeaderMap, etag: &str, modified: Timestamp, size: u64) -> Answer {
    if let Some(status) = precondition(headers, etag, modified) {
        return Answer::Condition(status);
    }
    // Range is defined for GET alone (RFC 9110 section 14.2)
    let range = headers.get(header::RANGE).filter(|_| method == Method::GET && if_range(headers, etag, modified));
    let Some(range) = range.and_then(|value| value.to_str().ok()) else { return Answer::Send(Selection::Whole) };
    Answer::Send(select(range, size))
}

/// Reads a Range header. What is not understood is ignored: the whole file.
pub fn select(range: &str, size: u64) -> Selection {
    if range.len() > HEADER_LIMIT {
        return Selection::Whole;
    }
    let Some(specs) = range.trim().split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes")) else {
        return Selection::Whole;
    };
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut count = 0;
    for spec in specs.1.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        count += 1;
        if count > RANGES_LIMIT {
            return Selection::Whole;
        }
        match part(spec, size) {
            None => return Selection::Whole,
            Some(part) if part.is_empty() => {}
            Some(part) => parts.push(part),
        }
    }
    match (count, parts.len()) {
        (0, _) => Selection::Whole,
        (_, 0) => Selection::Unsatisfiable,
        _ => {
            let mut parts = without_overlap(parts);
            if parts.len() == 1 { parts.pop().map_or(Selection::Whole, Selection::One) } else { Selection::Many(parts) }
        }
    }
}

/// One range: None if it is malformed, an empty range if it lies outside the file.
fn part(spec: &str, size: u64) -> Option<Range<u64>> {
    // more digits than u64 holds: as large as can be
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return Some(size.saturating_sub(number(last)?)..size);
    }
    let first = number(first)?;
    let end = if last.is_empty() { size } else { number(last)?.saturating_add(1) };
    if !last.is_empty() && end <= first {
        return None;
    }
    Some(first.min(size)..end.min(size))
}

/// Joins parts when any two overlap, so that an answer is never longer than the file (RFC 9110 section 14.2 permits it).
fn without_overlap(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = parts.clone();
    sorted.sort_by_key(|part| part.start);
    if sorted.iter().zip(sorted.iter().skip(1)).all(|(a, b)| a.end <= b.start) {
        return parts;
    }
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for part in sorted {
        match joined.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

/// The order of RFC 9110 section 13.2.2, steps 1 to 4.
fn precondition(headers: &HeaderMap, etag: &str, modified: Timestamp) -> Option<StatusCode> {
    if headers.contains_key(header::IF_MATCH) {
        if !lists(headers, &header::IF_MATCH, etag, false) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if let Some(limit) = date(headers, &header::IF_UNMODIFIED_SINCE)
        && modified.as_second() > limit.as_second()
    {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if lists(headers, &header::IF_NONE_MATCH, etag, true) {
            return Some(StatusCode::NOT_MODIFIED);
        }
    } else if let Some(limit) = date(headers, &header::IF_MODIFIED_SINCE)
        && modified.as_second() <= limit.as_second()
    {
        return Some(StatusCode::NOT_MODIFIED);
    }
    None
}

/// Whether the Range header counts: without If-Range, or if that names this very file.
fn if_range(headers: &HeaderMap, etag: &str, modified: Timestamp) -> bool {
    let Some(value) = headers.get(header::IF_RANGE) else { return true };
    let Ok(value) = value.to_str().map(str::trim) else { return false };
    if value.starts_with('"') || value.starts_with("W/") {
        return value == etag;
    }
    http_date(value).is_some_and(|date| date.as_second() == modified.as_second())
}

fn lists(headers: &HeaderMap, name: &header::HeaderName, etag: &str, weak: bool) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| {
            let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
            tag == "*" || tag == etag
        })
    })
}

fn date(headers: &HeaderMap, name: &header::HeaderName) -> Option<Timestamp> {
    http_date(headers.get(name)?.to_str().ok()?)
}

/// Reads the preferred date form of HTTP; other forms are not understood and count as absent.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub fn format_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"86542C97261C46D5B379A43EC895F97EAF409BA2\"";

    fn modified() -> Timestamp {
        "1994-11-06T08:49:37.5Z".parse().expect("time")
    }

    fn ask(method: &Method, headers: &[(header::HeaderName, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().expect("value"));
        }
        answer(method, &map, TAG, modified(), 1_000)
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        use Selection::*;
        let cases = [
            ("bytes=0-0", One(0..1)),
            ("bytes=0-499", One(0..500)),
            ("BYTES = 500-", One(500..1_000)),
            ("bytes=-1", One(999..1_000)),
            ("bytes=-5000", One(0..1_000)),
            ("bytes=900-5000", One(900..1_000)),
            ("bytes=0-99999999999999999999999999", One(0..1_000)),
            ("bytes=0-18446744073709551615", One(0..1_000)),
            ("bytes=1000-", Unsatisfiable),
            ("bytes=1000-2000", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=99999999999999999999999999-", Unsatisfiable),
            ("bytes=5-4", Whole),
            ("bytes=a-b", Whole),
            ("bytes=--1", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=", Whole),
            ("lines=0-5", Whole),
            ("0-5", Whole),
            ("bytes=0-1,4-5", Many(vec![0..2, 4..6])),
            ("bytes=4-5, 0-1", Many(vec![4..6, 0..2])),
            ("bytes=0-10,5-20", One(0..21)),
            ("bytes=0-1,2000-", One(0..2)),
            ("bytes=0-1,x", Whole),
            ("bytes=0-,0-,0-,0-", One(0..1_000)),
        ];
        for (text, expected) in cases {
            assert_eq!(select(text, 1_000), expected, "{text}");
        }
        let many = format!("bytes={}", (0..65).map(|i| format!("{}-{}", i * 3, i * 3)).collect::<Vec<_>>().join(","));
        assert_eq!(select(&many, 1_000), Whole);
        assert_eq!(select(&format!("bytes=0-{}", "9".repeat(5_000)), 1_000), Whole);
        for text in ["bytes=0-", "bytes=-5", "bytes=0-0"] {
            assert_eq!(select(text, 0), Unsatisfiable, "{text} of an empty file");
        }
    }

    #[test]
    fn no_answer_is_longer_than_the_file() {
        for text in ["bytes=0-999,0-999", "bytes=-600,-700", "bytes=0-,1-,2-,500-600"] {
            let total = match select(text, 1_000) {
                Selection::Many(parts) => parts.iter().map(|part| part.end - part.start).sum(),
                Selection::One(part) => part.end - part.start,
                Selection::Unsatisfiable => 0,
                Selection::Whole => 1_000,
            };
            assert!(total <= 1_000, "{text}: {total}");
        }
    }

    #[test]
    fn if_range_guards_the_range() {
        let range = (header::RANGE, "bytes=0-9");
        let with = |value| ask(&Method::GET, &[range.clone(), (header::IF_RANGE, value)]);
        let part = Answer::Send(Selection::One(0..10));
        assert_eq!(with(TAG), part);
        assert_eq!(with("Sun, 06 Nov 1994 08:49:37 GMT"), part);
        for other in
            ["\"other\"", "W/\"86542C97261C46D5B379A43EC895F97EAF409BA2\"", "Sun, 06 Nov 1994 08:49:38 GMT", "x"]
        {
            assert_eq!(with(other), Answer::Send(Selection::Whole), "{other}");
        }
        assert_eq!(ask(&Method::HEAD, &[range]), Answer::Send(Selection::Whole));
    }

    #[test]
    fn preconditions_come_in_the_rfcs_order() {
        let status = |headers: &[_]| match ask(&Method::GET, headers) {
            Answer::Condition(status) => status.as_u16(),
            Answer::Send(_) => 200,
        };
        let weak = format!("W/{TAG}");
        assert_eq!(status(&[(header::IF_NONE_MATCH, TAG)]), 304);
        assert_eq!(status(&[(header::IF_NONE_MATCH, &weak)]), 304);
        assert_eq!(status(&[(header::IF_NONE_MATCH, "\"a\", *")]), 304);
        assert_eq!(status(&[(header::IF_NONE_MATCH, "\"a\"")]), 200);
        assert_eq!(status(&[(header::IF_MATCH, &weak)]), 412);
        assert_eq!(status(&[(header::IF_MATCH, "*")]), 200);
        assert_eq!(status(&[(header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT")]), 304);
        assert_eq!(status(&[(header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")]), 200);
        assert_eq!(status(&[(header::IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")]), 412);
        assert_eq!(status(&[(header::IF_MODIFIED_SINCE, "nonsense")]), 200);
    }

    #[test]
    fn dates_have_the_form_of_http() {
        assert_eq!(format_date(modified()), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(&format_date(modified())).map(Timestamp::as_second), Some(modified().as_second()));
    }
}
