//! Events of computers, whose details are texts that computers made up. The first line is the number of the event, the others are
//! strings of its details. What comes of a batch can be stored and is read the same.

use jiff::Timestamp;
use weir_model::{
    exposure::Build,
    ids::{UpdateId, UpdateIdentity},
    status::{ComputerStatus, Context, Event, MiscData, UpdateNumber, apply},
};

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let event_id = lines.next().and_then(|line| line.parse().ok()).unwrap_or(182);
    let strings: Vec<&str> = lines.collect();
    let misc = MiscData::parse(&strings);
    for line in &strings {
        let tag = line.split('=').next().unwrap_or_default();
        let value = misc.value(tag).expect("a tag that was given has a value");
        assert!(value.len() + tag.len() <= text.len());
        assert!(misc.updates(tag).count() <= text.len() / 32);
    }
    if let Some(build) = Build::of_device(&text) {
        assert_eq!(Build::of_device(&format!("OSVersion={build};")), Some(build));
    }

    let at: Timestamp = "2031-01-02T03:04:05Z".parse().expect("a time");
    let id: UpdateId = "11111111-2222-3333-4444-555555555555".parse().expect("a GUID");
    let event = Event {
        instance_id: id.0,
        event_id,
        source_id: 101,
        update: Some(UpdateIdentity::new(id, 7)),
        hresult: 0,
        at,
        app_name: String::new(),
        replacement_strings: strings.iter().map(|line| (*line).to_owned()).collect(),
        misc,
    };
    assert_ne!(event.error(), Some(0), "no error is no failure");
    let context = Context { now: at, anchor: None, number: &|update| Some(UpdateNumber(update.0.as_u128() as u32)) };
    let mut status = ComputerStatus::default();
    apply(&mut status, &[event], &context);
    assert_eq!(ComputerStatus::decode(&status.encode()).as_ref(), Ok(&status));
    status != ComputerStatus::default()
}
