//! Single values as people and peers write them: what is read is written and read the same.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use weir_model::{
    alert::{KindPrefix, address::EmailAddress},
    cleanup::Wait,
    client_settings::Period,
    criteria::{Architecture, Edition, Exception, Pattern},
    document::rules::value::Version,
    exposure::{Article, Build, Cve},
    expression::{AddressRange, VersionPrefix, When},
    ids::{CollectionId, ComputerId, UpdateId},
    report::file::Folder,
    rule::Interval,
    schedule::Zone,
    search::Cursor,
    topic::{Topic, Topics},
};
use weir_wire::soap::{ErrorCode, parse_date_time, write_date_time};

/// Whether a text is such a value.
fn check<T: FromStr + Display + PartialEq + Debug>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    let written = value.to_string();
    let again = written.parse::<T>().ok();
    assert_eq!(again.as_ref(), Some(&value), "{written}");
    true
}

fn time(text: &str) -> bool {
    let Ok(moment) = parse_date_time(text) else { return false };
    let mut written = String::new();
    write_date_time(&mut written, moment);
    // finer than what is written is cut, and years before 1 have no written form
    if let Ok(again) = parse_date_time(&written) {
        let mut twice = String::new();
        write_date_time(&mut twice, again);
        assert_eq!(twice, written);
    }
    true
}

pub(super) fn run(data: &[u8]) -> bool {
    let text = &*String::from_utf8_lossy(data);
    let topics = Topics::parse(text);
    let read = [
        check::<AddressRange>(text),
        check::<Architecture>(text),
        check::<Article>(text),
        check::<Build>(text),
        check::<CollectionId>(text),
        check::<ComputerId>(text),
        check::<Cursor>(text),
        check::<Cve>(text),
        check::<Edition>(text),
        check::<EmailAddress>(text),
        check::<ErrorCode>(text),
        check::<Exception>(text),
        check::<Folder>(text),
        check::<Interval>(text),
        check::<KindPrefix>(text),
        check::<Pattern>(text),
        check::<Period>(text),
        check::<Topic>(text),
        check::<UpdateId>(text),
        check::<Version>(text),
        check::<VersionPrefix>(text),
        check::<Wait>(text),
        check::<When>(text),
        check::<Zone>(text),
        time(text),
        topics.is_ok(),
    ];
    read.contains(&true)
}
