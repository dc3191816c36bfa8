//! Item 20, as far as it is about whom a server may speak of: one that was admitted lies about others.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    ids::ComputerId,
    status::{ComputerStatus, State},
};
use weir_store::{computer::Contact, rollup::RolledServer};
use weir_wire::{
    soap::ErrorCode,
    wsss::{
        ComputerLastRollupNumber, ComputerRollupInfo, ComputerStatusRollupInfo, ComputerStatusRollupUpdateStatus,
        Cookie, DownstreamServerRollupInfo, DownstreamServerRollupServerSummary, GetOutOfSyncComputers,
        RollupComputerStatus, RollupComputers, RollupDownstreamServers, Since,
    },
};

use crate::{
    common::{Server, actor, id},
    support::{self, Downstream},
};

const MALLORY: Uuid = Uuid::from_u128(0x66);
const HONEST: Uuid = Uuid::from_u128(0x11);
/// Below the honest one.
const LEAF: Uuid = Uuid::from_u128(0x12);

fn ago(seconds: i64) -> Since {
    Since(Some(Timestamp::now() - SignedDuration::from_secs(seconds)))
}

fn info(server: Uuid, parent: Uuid, updates: i32, at: Since) -> DownstreamServerRollupInfo {
    DownstreamServerRollupInfo {
        server_id: server,
        full_domain_name: Some(format!("{server}.example")),
        last_sync_time: at,
        parent_server_id: parent,
        version: Some("1.2".into()),
        is_replica: false,
        last_rollup_time: at,
        server_summary: Some(DownstreamServerRollupServerSummary { update_count: updates, ..Default::default() }),
        client_summaries: Vec::new(),
    }
}

fn servers(servers: Vec<DownstreamServerRollupInfo>) -> RollupDownstreamServers {
    let cookie = Some(Cookie::roll_up());
    RollupDownstreamServers { cookie, client_time: Some(Timestamp::now()), downstream_servers: Some(servers) }
}

fn computers(told: &[(&str, Uuid, Since)]) -> RollupComputers {
    let computers = told.iter().map(|(id, parent, at)| ComputerRollupInfo {
        computer_id: Some((*id).to_owned()),
        last_sync_time: *at,
        last_sync_result: 1,
        parent_server_id: *parent,
        ..Default::default()
    });
    let cookie = Some(Cookie::roll_up());
    RollupComputers { cookie, client_time: Some(Timestamp::now()), computers: Some(computers.collect()) }
}

fn status(parent: Uuid, ids: &[&str], state: State) -> RollupComputerStatus {
    let computers = ids.iter().map(|computer| ComputerStatusRollupInfo {
        instance_id: Uuid::new_v4(),
        computer_id: Some((*computer).to_owned()),
        effective_last_detection_time: ago(10),
        rollup_number: 1,
        is_full_rollup: true,
        update_status: vec![ComputerStatusRollupUpdateStatus {
            update_id: id(1),
            summarization_state: i32::from(state.protocol_number()),
            last_change_time: ago(10),
        }],
    });
    RollupComputerStatus {
        cookie: Some(Cookie::roll_up()),
        client_time: Some(Timestamp::now()),
        parent_server_id: Some(parent),
        computers: Some(computers.collect()),
    }
}

async fn enter(server: &Server, id: Uuid, name: &str, last: u8) -> Downstream {
    let connection = server.connect().from(Ipv4Addr::new(127, 0, 0, last));
    let mut downstream = Downstream { connection, id, name: name.to_owned(), ..Downstream::of(server) };
    downstream.enter("1.20").await.expect("a cookie");
    downstream
}

fn rolled(server: &Server) -> Vec<RolledServer> {
    server.state.store.read(|tx| tx.rollup_servers()).expect("servers")
}

/// What is known of a computer: the number of its server and the state of the one update.
fn known(server: &Server, computer: &str) -> Option<(u32, Option<State>)> {
    let id: ComputerId = computer.parse().expect("an id");
    let read = server.state.store.read(|tx| {
        let Some(known) = tx.rollup_computer_find(&id)? else { return Ok(None) };
        let status = ComputerStatus::decode(&tx.computer_status(known.no)?.status).unwrap_or_default();
        Ok(Some((known.site, status.entries().first().map(|entry| entry.state))))
    });
    read.expect("reads")
}

#[tokio::test]
async fn item_20_an_admitted_server_speaks_of_nobody_but_itself_and_those_below_it() {
    let server = support::start().await;
    let mut honest = enter(&server, HONEST, "honest.example", 11).await;
    let told = servers(vec![info(HONEST, Uuid::nil(), 7, ago(60)), info(LEAF, HONEST, 7, ago(60))]);
    honest.call(&told).await.expect("taken");
    let told = computers(&[("one", HONEST, ago(60)), ("two", LEAF, ago(60))]);
    assert_eq!(honest.call(&told).await.expect("taken").result.0.len(), 2, "details are wanted of both");
    assert!(honest.call(&status(HONEST, &["one", "two"], State::Required)).await.expect("taken").result);
    let ours = Contact {
        id: "ours".parse().expect("an id"),
        dns_name: "ours.example".into(),
        ip_address: None,
        plain_http: false,
        requested_groups: None,
    };
    server.state.store.write(&actor(), |tx| tx.computer_contact(&ours)).expect("a computer of this server");
    let before = (rolled(&server), known(&server, "one"), known(&server, "two"), known(&server, "ours"));

    let mut mallory = enter(&server, MALLORY, "mallory.example", 66).await;
    mallory.call(&servers(vec![info(MALLORY, Uuid::nil(), 1, ago(5))])).await.expect("its own");
    // servers: beside it, below others, taken over, handed over, above those it would like
    let new = Uuid::from_u128(0x99);
    for lie in [
        vec![info(HONEST, Uuid::nil(), 666, ago(0))],
        vec![info(HONEST, MALLORY, 666, ago(0)), info(LEAF, HONEST, 666, ago(0))],
        vec![info(MALLORY, Uuid::nil(), 1, ago(4)), info(LEAF, MALLORY, 666, ago(0))],
        vec![info(new, Uuid::nil(), 666, ago(0))],
        vec![info(new, LEAF, 666, ago(0))],
    ] {
        mallory.call(&servers(lie)).await.expect("what counts of it is taken");
    }
    let fault = mallory.refused(&servers(vec![info(MALLORY, HONEST, 1, ago(0))])).await;
    assert_eq!(fault.0, ErrorCode::InternalServerError, "whoever calls is directly below");
    let fault = mallory.refused(&servers(vec![info(server.state.server.0, Uuid::nil(), 1, ago(0))])).await;
    assert_eq!(fault.0, ErrorCode::InternalServerError, "it is not this server");
    // computers of others, as theirs; its own claim on one is older than what is known
    let told = computers(&[("one", HONEST, ago(0)), ("two", LEAF, ago(0)), ("three", LEAF, ago(0))]);
    assert!(mallory.call(&told).await.expect("answered").result.0.is_empty());
    let told = computers(&[("one", MALLORY, ago(90)), ("ours", MALLORY, ago(90))]);
    assert!(mallory.call(&told).await.expect("answered").result.0.is_empty());
    let fault = mallory.refused(&computers(&[("ours", Uuid::nil(), ago(0))])).await;
    assert_eq!(fault.0, ErrorCode::InternalServerError, "what scans here is known here");
    // status of them, in the name of their servers and in its own
    for parent in [HONEST, LEAF, Uuid::from_u128(5)] {
        let fault = mallory.refused(&status(parent, &["one", "two", "ours"], State::Installed)).await;
        assert_eq!(fault.0, ErrorCode::InternalServerError);
    }
    assert!(mallory.call(&status(MALLORY, &["one", "two", "ours"], State::Installed)).await.expect("taken").result);

    let after = rolled(&server);
    let others: Vec<_> = after.iter().filter(|row| row.id != MALLORY).cloned().collect();
    assert_eq!(others, before.0);
    assert_eq!((known(&server, "one"), known(&server, "two"), known(&server, "ours")), (before.1, before.2, before.3));
    assert_eq!(known(&server, "three"), None);
    let own = after.iter().find(|row| row.id == MALLORY).expect("its own entry");
    assert_eq!(own.parent_no, 1);

    // nor does it hear of them
    let ask = |parent, number| GetOutOfSyncComputers {
        cookie: Some(Cookie::roll_up()),
        parent_server_id: Some(parent),
        last_rollup_numbers: Some(vec![ComputerLastRollupNumber {
            computer_id: Some("one".into()),
            rollup_number: number,
        }]),
    };
    for parent in [HONEST, MALLORY] {
        assert!(mallory.call(&ask(parent, 99)).await.expect("answered").result.0.is_empty());
    }
    assert_eq!(honest.call(&ask(HONEST, 99)).await.expect("answered").result.0.len(), 1);

    // the administrator hears of it, until it stops
    let open = || {
        let alerts = server.state.store.read(|tx| tx.alert_list(false, 10)).expect("alerts");
        alerts
            .into_iter()
            .filter(|alert| alert.kind == "downstream.claim")
            .map(|alert| alert.message)
            .collect::<Vec<_>>()
    };
    assert!(matches!(&open()[..], [alert] if alert.contains("mallory.example")), "{:?}", open());
    mallory.call(&servers(vec![info(MALLORY, Uuid::nil(), 1, ago(0))])).await.expect("its own");
    assert!(open().is_empty());
    // and the honest one goes on
    honest
        .call(&servers(vec![info(HONEST, Uuid::nil(), 8, ago(1)), info(LEAF, HONEST, 8, ago(1))]))
        .await
        .expect("taken");
    assert!(rolled(&server).iter().filter(|row| row.id != MALLORY).all(|row| row.summary.updates == 8));
}
