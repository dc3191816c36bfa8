//! The scripted upstream, called by the downstream half of the wire crate.

use std::time::Duration;

use anyhow::Result;
use uuid::Uuid;
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::CategoryKind,
};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{client::write, *},
};

use super::*;
use crate::{Document, Payload, ScriptedDownstream, downstream::fault_code};

fn id(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(number))
}

fn code_of<T: std::fmt::Debug>(result: Result<T>) -> Option<ErrorCode> {
    fault_code(&result.expect_err("a fault"))
}

fn ids(list: &RevisionIdList) -> Vec<u128> {
    list.new_revisions.0.iter().map(|identity| identity.update_id.0.as_u128()).collect()
}

/// A classification 1, products 2 and 3, bundle 10 of product 2 with member 11, update 12 of product 3.
fn served() -> Served {
    let payload = Payload::random("a.cab", 10_000, 1);
    Served::new().with([
        Document::category(id(1), 100, CategoryKind::UpdateClassification).title("Security"),
        Document::category(id(2), 100, CategoryKind::Product).title("Product"),
        Document::category(id(3), 100, CategoryKind::Product).title("Other"),
        Document::member(id(11), 200).file(&payload),
        Document::software(id(10), 200)
            .in_category(id(1))
            .in_category(id(2))
            .bundles([UpdateIdentity::new(id(11), 200)]),
        Document::software(id(12), 201).in_category(id(1)).in_category(id(3)),
    ])
}

fn filter(products: &[(u128, bool)], anchor: &AnchorText) -> ServerSyncFilter {
    let entry = |&(number, delta): &(u128, bool)| IdAndDelta { id: id(number), delta };
    ServerSyncFilter {
        anchor: anchor.clone(),
        categories: Some(products.iter().map(entry).collect()),
        classifications: Some(vec![IdAndDelta { id: id(1), delta: true }]),
        ..ServerSyncFilter::default()
    }
}

#[tokio::test]
async fn lists_follow_filter_and_anchor() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    assert_eq!(code_of(downstream.list(ServerSyncFilter::default()).await), Some(ErrorCode::InvalidCookie));
    downstream.authorize().await?;
    let none = AnchorText::default();
    let config = ServerSyncFilter { get_config: true, ..ServerSyncFilter::default() };
    assert_eq!(ids(&downstream.list(config).await?), [1, 2, 3]);
    assert_eq!(ids(&downstream.list(ServerSyncFilter::default()).await?), [10, 11, 12]);
    let first = downstream.list(filter(&[(2, true)], &none)).await?;
    assert_eq!(ids(&first), [10, 11], "with the member, which is in no product");
    assert_eq!(ids(&downstream.list(filter(&[(2, true)], &first.anchor)).await?), []);
    assert_eq!(ids(&downstream.list(filter(&[(2, true), (3, false)], &first.anchor)).await?), [12]);
    let only = ServerSyncFilter { classifications: None, ..filter(&[(2, true)], &none) };
    assert_eq!(ids(&downstream.list(only).await?), [], "one list alone matches nothing");
    upstream.change(|served| served.add(&Document::software(id(12), 202).in_category(id(1)).in_category(id(3))));
    let changed = downstream.list(filter(&[(2, true), (3, true)], &first.anchor)).await?;
    assert_eq!(changed.new_revisions.0, [UpdateIdentity::new(id(12), 202)]);
    let garbage = filter(&[], &AnchorText::new("garbage"));
    assert_eq!(code_of(downstream.list(garbage).await), Some(ErrorCode::InvalidParameters));
    Ok(())
}

#[tokio::test]
async fn documents_come_in_either_form_and_within_the_cap() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    downstream.authorize().await?;
    let wanted =
        [(10, 200), (11, 200), (99, 1), (12, 201)].map(|(number, revision)| UpdateIdentity::new(id(number), revision));
    for blobs in [Blobs::Text, Blobs::CabinetFrom(0)] {
        upstream.change(|served| served.blobs = blobs);
        let data = downstream.data(&wanted).await?;
        assert_eq!(data.file_urls.0.len(), 1);
        let texts: Vec<_> = data
            .updates
            .0
            .into_iter()
            .map(|update| (update.id, update.into_document(1 << 20).expect("a document")))
            .collect();
        assert_eq!(texts.len(), 3, "the unknown one is left out");
        for (identity, text) in texts {
            assert_eq!(upstream.change(|served| served.revisions[&identity].text.clone()), text);
        }
    }
    upstream.change(|served| (served.answer_bytes, served.strict_ids) = (10, true));
    assert_eq!(downstream.data(&wanted[..2]).await?.updates.0.len(), 1, "one at least");
    assert_eq!(code_of(downstream.data(&wanted).await), Some(ErrorCode::InternalServerError));
    upstream.change(|served| served.config.max_number_of_updates_per_request = 1);
    assert_eq!(code_of(downstream.data(&wanted[..2]).await), Some(ErrorCode::InvalidParameters));
    Ok(())
}

#[tokio::test]
async fn files_are_at_both_addresses() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    downstream.authorize().await?;
    let payload = Payload::random("a.cab", 10_000, 1);
    let path = format!("/Content/{}", payload.content_path());
    let answer = downstream.connection.send("GET", &path, &[("Range", "bytes=9990-")], &[]).await?;
    assert_eq!((answer.status, answer.body.as_slice()), (206, &payload.bytes[9_990..]));
    assert_eq!(downstream.connection.send("GET", &path, &[("Range", "bytes=10000-")], &[]).await?.status, 416);
    upstream.change(|served| served.files.values_mut().for_each(|file| file.here = false));
    assert_eq!(downstream.connection.send("GET", &path, &[], &[]).await?.status, 404);
    let source = downstream.data(&[UpdateIdentity::new(id(11), 200)]).await?.file_urls.0[0].mu_url.clone();
    let source = source.expect("an address").replace(&upstream.url(), "");
    assert_eq!(downstream.connection.send("GET", &source, &[], &[]).await?.body, payload.bytes);
    let cookie = downstream.cookie.clone();
    let ask = |digests: Vec<_>| DownloadFiles { cookie: cookie.clone(), file_digest_list: Some(digests) };
    let unknown = weir_wire::soap::Binary(vec![1; 20]);
    let result = downstream.call(&ask(vec![unknown, payload.sha1().into()])).await;
    assert_eq!(code_of(result), Some(ErrorCode::FileDigestsMissing));
    assert_eq!(downstream.connection.send("GET", &path, &[], &[]).await?.body, payload.bytes, "the known one came");
    upstream.trouble(At::Content(6), Trouble::WrongContent);
    assert_ne!(downstream.connection.send("GET", &path, &[], &[]).await?.body, payload.bytes);
    Ok(())
}

#[tokio::test]
async fn trouble_comes_when_it_is_ordered() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    downstream.authorize().await?;
    let operation = Operation::GetRevisionIdList;
    let config = || ServerSyncFilter { get_config: true, ..ServerSyncFilter::default() };
    upstream.trouble(At::Operation(operation, 2), Trouble::Fault("ServerBusy".into()));
    upstream.trouble(At::Operation(operation, 3), Trouble::Fault("NeverHeardOf".into()));
    upstream.trouble(At::Operation(operation, 4), Trouble::Garbage);
    upstream.trouble(At::Operation(operation, 5), Trouble::Truncated);
    upstream.trouble(At::Operation(operation, 6), Trouble::Status(503));
    upstream.trouble(At::Request(11), Trouble::Change(Box::new(|served| served.incarnation += 1)));
    assert!(downstream.list(config()).await.is_ok());
    assert_eq!(code_of(downstream.list(config()).await), Some(ErrorCode::ServerBusy));
    let unknown = downstream.list(config()).await.expect_err("a fault");
    assert!(format!("{unknown:#}").contains("NeverHeardOf"), "{unknown:#}");
    for _ in 0..3 {
        // A connection each, since the plain client would repeat a request on one that was closed.
        let mut downstream =
            ScriptedDownstream { cookie: downstream.cookie.clone(), ..ScriptedDownstream::of(&upstream.url())? };
        assert_eq!(code_of(downstream.list(config()).await), None);
    }
    assert!(downstream.list(config()).await.is_ok());
    assert_eq!(code_of(downstream.list(config()).await), Some(ErrorCode::ServerChanged));
    assert!(downstream.list(config()).await.is_ok(), "once told, it may carry on");
    upstream.trouble(At::Every(operation), Trouble::Fault("InvalidCookie".into()));
    for _ in 0..2 {
        assert_eq!(code_of(downstream.list(config()).await), Some(ErrorCode::InvalidCookie));
    }
    upstream.calm();
    assert!(downstream.list(config()).await.is_ok());
    let log = upstream.log();
    assert_eq!(log.iter().map(|received| received.number).collect::<Vec<_>>(), (1..=log.len()).collect::<Vec<_>>());
    assert_eq!(log[2].operation(), Some(Operation::GetCookie));
    assert_eq!((log[3].status, log[4].status), (Some(200), Some(500)));
    assert_eq!(upstream.operations().len(), log.len());
    Ok(())
}

#[tokio::test]
async fn endless_and_silent_answers_are_endless_and_silent() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    downstream.authorize().await?;
    upstream.trouble(At::Operation(Operation::GetUpdateData, 1), Trouble::Hang);
    let call = downstream.data(&[]);
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    upstream.trouble(At::Operation(Operation::GetUpdateData, 2), Trouble::Endless);
    let mut stream = tokio::net::TcpStream::connect(upstream.address()).await?;
    let body = write(&GetUpdateData { cookie: downstream.cookie.clone(), update_ids: Some(vec![]) }, SoapVersion::V12);
    let path = Service::ServerSync.path();
    let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
    tokio::io::AsyncWriteExt::write_all(&mut stream, format!("{head}{body}").as_bytes()).await?;
    let mut much = vec![0; 4 << 20];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut much).await?;
    assert!(much.starts_with(b"HTTP/1.1 200"));
    Ok(())
}

#[tokio::test]
async fn deployments_are_told_as_changes() -> Result<()> {
    let upstream = Upstream::start(served());
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    downstream.authorize().await?;
    let deployment = |number: u128| ServerSyncDeployment {
        update_id: id(10),
        revision_number: weir_model::ids::RevisionNumber(200),
        action: SyncAction::Install.number(),
        admin_name: None,
        deadline: Until(None),
        is_assigned: true,
        go_live_time: Served::time_of(0),
        deployment_guid: Uuid::from_u128(number),
        target_group_id: weir_model::ids::CollectionId::ALL_COMPUTERS,
        download_priority: 1,
    };
    upstream.change(|served| served.deploy(deployment(1)));
    let sync = downstream.list(ServerSyncFilter::default()).await?.anchor;
    upstream.change(|served| served.deploy(deployment(2)));
    let cookie = downstream.cookie.clone();
    let ask = |from: AnchorText, to: AnchorText| GetDeployments {
        cookie: cookie.clone(),
        deployment_anchor: from,
        sync_anchor: to,
    };
    let first = downstream.call(&ask(AnchorText::default(), sync)).await?.result;
    assert_eq!(first.groups.0.len(), 2);
    let found: Vec<_> = first.deployments.0.iter().map(|deployment| deployment.deployment_guid.as_u128()).collect();
    assert_eq!(found, [1], "none that is newer than the list of updates");
    upstream.change(|served| served.undeploy(Uuid::from_u128(1)));
    let sync = downstream.list(ServerSyncFilter::default()).await?.anchor;
    let second = downstream.call(&ask(first.anchor, sync)).await?.result;
    assert_eq!(second.dead_deployments.0, [Uuid::from_u128(1)]);
    assert_eq!(second.deployments.0[0].deployment_guid, Uuid::from_u128(2));
    assert_eq!(
        code_of(downstream.call(&ask(AnchorText::default(), AnchorText::default())).await),
        Some(ErrorCode::InvalidParameters)
    );
    Ok(())
}

#[tokio::test]
async fn recorded_exchanges_are_replayed() -> Result<()> {
    let upstream = Upstream::replaying("captures/server-sync");
    let mut downstream = ScriptedDownstream::of(&upstream.url())?;
    assert_eq!(code_of(downstream.list(ServerSyncFilter::default()).await), Some(ErrorCode::InvalidCookie));
    downstream.authorize().await?;
    let config =
        downstream.call(&GetConfigData { cookie: downstream.cookie.clone(), config_anchor: None.into() }).await?;
    assert_eq!(config.result.updates_per_request(), 100);
    let categories = downstream.list(ServerSyncFilter { get_config: true, ..ServerSyncFilter::default() }).await?;
    let first = categories.new_revisions.0[0].update_id.to_string();
    assert_eq!(first, "e6cf1350-c01b-414d-a61f-263d14d133b4");
    let updates = downstream.list(ServerSyncFilter::default()).await?;
    assert_eq!(updates.new_revisions.0.len(), 30);
    let later = downstream.list(ServerSyncFilter { anchor: updates.anchor, ..ServerSyncFilter::default() }).await?;
    assert_eq!(later.new_revisions.0, []);
    let of = |text: &str| UpdateIdentity::new(text.parse().expect("an id"), 200);
    let both = [of("266f6222-c89d-43f2-9f8a-69340271e677"), of("ccb78947-6453-4ecc-9de8-bc0305c98f2d")];
    let data = downstream.data(&both).await?;
    for update in data.updates.0 {
        let file = format!("captures/updates/{}-r{}.xml", update.id.update_id, update.id.revision);
        let document = update.into_document(1 << 20)?;
        assert_eq!(document, crate::shared::shared_text(&file));
    }
    assert_eq!(code_of(downstream.data(&categories.new_revisions.0).await), Some(ErrorCode::InternalServerError));
    Ok(())
}
