//! Clean-up and power cuts.

use std::time::Duration;

use serde_json::json as value;
use weir_testkit::{Random, WeirProcess};

use super::{
    super::{json, server, store},
    a_while, cut, restart, revisions, small_catalogue,
};

/// Clean-up that is cut at any moment goes on where it was: what goes is gone once, what stays is whole.
#[test]
fn clean_up_goes_on_after_cuts() {
    const UPDATES: u128 = 600;
    const DECLINED: usize = 400;
    let mut server = server();
    let (_, ids) = small_catalogue(&server, UPDATES);
    cut(&mut server);
    {
        let store = store(server.data());
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 40);
        let actor = weir_store::Actor::system("test", then);
        let declined = ids.iter().take(DECLINED);
        store
            .write(&actor, |tx| declined.into_iter().try_for_each(|id| tx.update_decline(*id).map(drop)))
            .expect("declines");
    }
    let mut random = Random::new(11);
    let removed = |server: &WeirProcess| {
        let list = json(server, &["cleanup", "removed", "--all"]);
        list["items"].as_array().expect("items").len()
    };
    server.restart().expect("it starts");
    let mut cuts = 0;
    while removed(&server) < DECLINED {
        assert!(cuts < 200, "it does not get on");
        a_while(&mut random, Duration::from_millis(120));
        cut(&mut server);
        restart(&mut server);
        cuts += 1;
    }
    let ended = json(&server, &["cleanup", "run", "--wait"]);
    assert_eq!(ended["state"], "done", "{ended}");
    let history = json(&server, &["cleanup", "history"]);
    let counts = history["items"].as_array().expect("items").iter();
    let told: u64 = counts.map(|run| run["counts"]["revisions"].as_u64().expect("a count")).sum();
    assert_eq!(told, DECLINED as u64, "after {cuts} cuts: {history}");
    // two categories are there, too
    assert_eq!(revisions(&server), UPDATES as u64 - DECLINED as u64 + 2);
    let status = json(&server, &["status"]);
    assert_eq!(status["counts"]["revisions"], status["snapshot"]["revisions"], "{status}");
    let preview = json(&server, &["cleanup", "preview"]);
    assert_eq!((&preview["revisions"], &preview["declines"]), (&value!(0), &value!(0)));
}
