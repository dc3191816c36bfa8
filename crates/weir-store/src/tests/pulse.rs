//! The numbers that move when something changes.

use serde_json::json;
use uuid::Uuid;
use weir_model::{
    ids::CollectionId,
    targeting::CollectionKind,
    topic::{Pulse, Topic, Topics},
};

use super::{Scratch, time};
use crate::{alert::AlertSeverity, collection::NewCollection};

/// What moved since, and the pulse now.
fn moved(scratch: &Scratch, before: &Pulse) -> (Topics, Pulse) {
    let read = scratch.store.read(|tx| {
        let now = tx.pulse()?;
        Ok((tx.pulse_actions(before.audit, now.audit)?, now))
    });
    let (actions, now) = read.expect("reads");
    (now.moved(before, actions.iter().map(String::as_str)), now)
}

#[test]
fn what_is_written_moves_the_pulse() {
    let scratch = Scratch::new();
    let (_, before) = moved(&scratch, &Pulse::default());
    let (topics, before) = moved(&scratch, &before);
    assert!(topics.is_empty(), "{topics:?}");

    let new = NewCollection {
        id: CollectionId(Uuid::from_u128(7)),
        name: "Ring".into(),
        parent: None,
        kind: CollectionKind::TargetGroup,
    };
    scratch.write(|tx| {
        tx.collection_create(&new)?;
        tx.audit("collection.create", "Ring", None, None)
    });
    let (topics, before) = moved(&scratch, &before);
    assert!(topics.has(Topic::Collections) && !topics.has(Topic::Alerts), "{topics:?}");

    scratch.write(|tx| tx.alert_open("sync.failed", "x", AlertSeverity::Warning, "it failed"));
    let (topics, before) = moved(&scratch, &before);
    assert_eq!(topics, Topics::of(&[Topic::Alerts]));

    let job = Uuid::from_u128(1);
    scratch.write(|tx| tx.job_create(job, "content.verify", &json!({})));
    let (topics, before) = moved(&scratch, &before);
    assert!(topics.has(Topic::Jobs) && topics.has(Topic::Content), "{topics:?}");
    scratch.write(|tx| tx.job_take("content.verify", "me", time(60)));
    let (_, before) = moved(&scratch, &before);
    scratch.write(|tx| tx.job_renew(job, "me", time(60), &json!({ "files": 1 })));
    let (topics, before) = moved(&scratch, &before);
    assert_eq!(topics, Topics::of(&[Topic::Content, Topic::Jobs]), "it went on");
    scratch.write(|tx| tx.job_cancel(job));
    let (topics, _) = moved(&scratch, &before);
    assert_eq!(topics, Topics::of(&[Topic::Content, Topic::Jobs]), "it ended");
}
