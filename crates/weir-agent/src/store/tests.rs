//! State files: whole, damaged, in use.

use std::fs;

use tempfile::TempDir;
use weir_model::ids::UpdateIdentity;
use weir_wire::{
    soap::Binary,
    wusp::{Action, Cookie},
};

use super::*;
use crate::{
    details::Details,
    state::{Condition, Config, Deployed, Entry, Own, PendingEvent},
};

const CORE: &str = "<UpdateIdentity UpdateID=\"56309036-4C77-4DD9-951A-99EE9C246A94\" RevisionNumber=\"101\" />\
                    <Properties UpdateType=\"Category\" /><ApplicabilityRules><IsInstalled><True /></IsInstalled>\
                    </ApplicabilityRules>";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn identity() -> UpdateIdentity {
    UpdateIdentity::new("56309036-4c77-4dd9-951a-99ee9c246a94".parse().expect("an id"), 101)
}

fn full(library: &Library) -> State {
    let mut state = State {
        server: Some("http://updates:8530".into()),
        config: Some(Config {
            last_change: "2026-05-01T12:00:00.59Z".parse().expect("a time"),
            registration_required: true,
            service_url: "a/b".into(),
            max_extended: 50,
            protocol: (3, 2),
        }),
        registered: true,
        cookie: Some(Cookie { expiration: None, encrypted_data: Some(Binary(vec![1, 2, 3])) }),
        scanned: Some("2026-05-01T12:00:00Z".parse().expect("a time")),
        restart_at: Some("2026-05-02T12:00:00Z".parse().expect("a time")),
        ..State::default()
    };
    let update = library.update(CORE).expect("a fragment");
    update.learn(Details { title: "Ünïcode".into(), ..Details::default() });
    let deployed = library.deployed(Deployed {
        id: 7,
        action: Action::Install,
        deadline: Some("2026-06-01T12:00:00Z".parse().expect("a time")),
        is_assigned: true,
        priority: 3,
        hardware_ids: vec!["PCI\\X".into()],
    });
    state.cache.insert(Entry { id: 5, is_leaf: true, deployed, update }, Own { asked: true, ..Own::default() });
    state.cache.insert_unreadable(9);
    state.set_condition(identity().update_id, Some(Condition::Failed(-5)));
    state.events.push(PendingEvent {
        instance: uuid::Uuid::from_u128(1),
        at: "2026-05-01T12:00:00Z".parse().expect("a time"),
        event: 182,
        update: Some(identity()),
        result: -5,
        strings: vec!["a\nb".into()],
        misc: Vec::new(),
    });
    state
}

#[test]
fn what_is_saved_is_read_again() {
    let folder = folder();
    let path = folder.path().join("deeper/agent.state");
    let library = Library::new();
    let state = full(&library);
    let memory = Memory { server: Some("x".into()), failures: 2, ..Memory::default() };
    let id = "abc-1".parse().expect("an id");
    {
        let (file, saved, damaged) = StateFile::open(&path, &library).expect("opened");
        assert!(damaged.is_none() && saved.client_id.is_none() && saved.state.cache.is_empty());
        file.save(Some(&id), &state, &memory).expect("saved");
        file.save(Some(&id), &state, &memory).expect("saved again");
    }
    // another process has another library
    let (_file, saved, damaged) = StateFile::open(&path, &Library::new()).expect("opened");
    assert_eq!(damaged, None);
    assert_eq!((saved.client_id, &saved.memory), (Some(id), &memory));
    let read = saved.state;
    assert_eq!((&read.server, &read.config, &read.cookie), (&state.server, &state.config, &state.cookie));
    assert_eq!((read.registered, read.scanned, read.restart_at), (true, state.scanned, state.restart_at));
    assert_eq!((&read.conditions, &read.events), (&state.conditions, &state.events));
    assert_eq!(read.cache.unreadable(), [9]);
    assert_eq!(read.cache.entries(), state.cache.entries());
    assert_eq!(read.cache.entries()[0].deployed, state.cache.entries()[0].deployed);
    assert_eq!(read.cache.entries()[0].update.details().map(|d| d.title.as_str()), Some("Ünïcode"));
    assert!(read.cache.own()[0].asked);
}

#[test]
fn one_agent_at_a_time() {
    let folder = folder();
    let path = folder.path().join("agent.state");
    let library = Library::new();
    let first = StateFile::open(&path, &library).expect("opened");
    assert!(matches!(StateFile::open(&path, &library), Err(StoreError::Busy(_))));
    drop(first);
    assert!(StateFile::open(&path, &library).is_ok());
}

#[test]
fn damaged_files_are_set_aside() {
    let folder = folder();
    let path = folder.path().join("agent.state");
    let library = Library::new();
    let (file, ..) = StateFile::open(&path, &library).expect("opened");
    file.save(None, &full(&library), &Memory::default()).expect("saved");
    drop(file);
    let whole = fs::read(&path).expect("written");
    let compressed = |text: &str| zstd::encode_all(text.as_bytes(), 3).expect("compressed");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let mut longer = whole.clone();
    longer.extend(compressed("more\n"));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no zstd", b"{\"format\":\"weir-agent-state\",\"version\":1}\n".to_vec()),
        ("cut", whole[..whole.len() - 4].to_vec()),
        ("flipped", flipped),
        ("longer", longer),
        ("another format", compressed("{\"format\":\"x\",\"version\":1}\n")),
        ("no head", compressed("[1,2]\n")),
        ("incomplete head", compressed("{\"format\":\"weir-agent-state\",\"version\":1}\n")),
        ("no line feed", compressed("{\"format\":\"weir-agent-state\",\"version\":1}")),
    ];
    for (number, (what, bytes)) in cases.iter().enumerate() {
        fs::write(&path, bytes).expect("written");
        let (file, saved, damaged) = StateFile::open(&path, &Library::new()).expect("opened");
        let damaged = damaged.unwrap_or_else(|| panic!("{what} was taken for whole"));
        assert!(saved.state.cache.is_empty() && !path.exists(), "{what}");
        assert_eq!(damaged.aside, folder.path().join(format!("agent.state.damaged-{}", number + 1)), "{what}");
        assert_eq!(fs::read(&damaged.aside).expect("kept"), *bytes, "{what}");
        drop(file);
    }
    // every cut of the whole file is noticed
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let (_file, _, damaged) = StateFile::open(&path, &Library::new()).expect("opened");
        assert!(damaged.is_some(), "{length} of {} bytes", whole.len());
        fs::remove_file(damaged.expect("just seen").aside).expect("removed");
    }
}

#[test]
fn files_of_newer_programs_are_left_alone() {
    let folder = folder();
    let path = folder.path().join("agent.state");
    let bytes =
        zstd::encode_all("{\"format\":\"weir-agent-state\",\"version\":2,\"new\":1}\n".as_bytes(), 3).expect("made");
    fs::write(&path, &bytes).expect("written");
    assert!(matches!(StateFile::open(&path, &Library::new()), Err(StoreError::Newer { version: 2, .. })));
    assert_eq!(fs::read(&path).expect("still there"), bytes);
}
