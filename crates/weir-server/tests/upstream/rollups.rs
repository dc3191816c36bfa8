//! Item 20, as far as it is about who may roll up.

use serde_json::json;
use weir_store::downstream::Admission;
use weir_testkit::engine::Direct;
use weir_wire::{
    soap::ErrorCode,
    wsss::{Cookie, GetRollupConfiguration},
};

use crate::{
    common::actor,
    support::{self, Downstream, set},
};

#[tokio::test]
async fn item_20_roll_ups_are_taken_from_addresses_that_were_authorized() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let ask = || GetRollupConfiguration { cookie: Some(Cookie::roll_up()) };
    assert_eq!(downstream.refused(&ask()).await.0, ErrorCode::InternalServerError, "nobody is known here");
    downstream.enter("1.20").await.expect("a cookie");
    // the constant cookie, none at all, or one of the other service
    for cookie in [Some(Cookie::roll_up()), None, downstream.cookie.clone(), Some(Cookie::default())] {
        let answer = downstream.call(&GetRollupConfiguration { cookie }).await.expect("answered").result;
        assert_eq!(answer.server_id, server.state.server.0);
    }
    // an authorization of yesterday does not count
    let day = 24 * 60 * 60 * 1_000_000_i64;
    let database = Direct::of(server.folder());
    database.execute("UPDATE downstream_server SET authorized_at = authorized_at - ?1", &[(day + 1_000).into()]);
    assert_eq!(downstream.refused(&ask()).await.0, ErrorCode::InternalServerError);
    database.execute("UPDATE downstream_server SET authorized_at = authorized_at + ?1", &[day.into()]);
    downstream.call(&ask()).await.expect("answered");
    // nor does that of a server that was refused since
    server.state.store.write(&actor(), |tx| tx.downstream_admit(2, Admission::Refused)).expect("refused");
    assert_eq!(downstream.refused(&ask()).await.0, ErrorCode::InternalServerError);
    server.state.store.write(&actor(), |tx| tx.downstream_admit(2, Admission::Waiting)).expect("undecided");
    set(&server, "downstream.policy", json!("ask"));
    assert_eq!(downstream.refused(&ask()).await.0, ErrorCode::InternalServerError);
}
