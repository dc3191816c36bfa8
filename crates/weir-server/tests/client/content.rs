//! Content and self-update over HTTP (conformance checklist 7 to 9).

use weir_server::state::ClientSettings;
use weir_store::content_file::ContentState;
use weir_testkit::{Payload, http::Answer};

use crate::common::{Server, actor};

async fn with_file(size: usize) -> (Server, Payload, String) {
    let server = Server::start().await;
    let payload = Payload::random("setup.exe", size, 7);
    server.add_content(&payload).await;
    let path = format!("/Content/{}", payload.content_path());
    (server, payload, path)
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.send("GET", path, headers, "").await
}

#[tokio::test]
async fn checklist_7_whole_files_and_their_headers() {
    let (server, payload, path) = with_file(700_001).await;
    let answer = get(&server, &path, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == payload.bytes);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("content-length"), Some("700001"));
    let tag = answer.header("etag").expect("ETag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert!(answer.header("last-modified").is_some_and(|date| date.ends_with(" GMT")));

    let head = server.send("HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("700001")));
    assert_eq!(head.header("etag"), Some(tag.as_str()));

    let squeezed = get(&server, &path, &[("Accept-Encoding", "xpress, gzip")]).await;
    assert_eq!(squeezed.header("content-encoding"), None);
    assert!(squeezed.body == payload.bytes);
    assert_eq!(get(&server, &path, &[("If-None-Match", &tag)]).await.status, 304);
}

#[tokio::test]
async fn checklist_7_any_case_and_no_way_out() {
    let (server, payload, path) = with_file(1_000).await;
    for path in [path.to_lowercase(), path.to_uppercase(), path.replace(".exe", ".cab")] {
        let answer = get(&server, &path, &[]).await;
        assert_eq!((answer.status, answer.body.len()), (200, payload.bytes.len()), "{path}");
    }
    for path in ["/Content/../weir.db", "/Content/%2e%2e/weir.db", "/Content/AA/../../weir.db", "/Content/", "/content"]
    {
        assert_eq!(get(&server, path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(server.send("POST", &path, &[], "").await.status, 405);
}

#[tokio::test]
async fn checklist_7_ranges() {
    let (server, payload, path) = with_file(1_000).await;
    let cases = [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=990-", 990..1_000),
        ("bytes=-5", 995..1_000),
        ("bytes=900-5000", 900..1_000),
    ];
    for (range, expected) in cases {
        let answer = get(&server, &path, &[("Range", range)]).await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, payload.bytes[expected.clone()], "{range}");
        let shown = format!("bytes {}-{}/1000", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), Some(shown.as_str()));
        assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
    }
    let beyond = get(&server, &path, &[("Range", "bytes=1000-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */1000")));
    assert_eq!(get(&server, &path, &[("Range", "bytes=9-1")]).await.status, 200);

    let tag = beyond.header("etag").expect("ETag").to_owned();
    let guarded = |value: String| {
        let (server, path) = (&server, &path);
        async move { get(server, path, &[("Range", "bytes=0-9"), ("If-Range", &value)]).await.status }
    };
    assert_eq!(guarded(tag.clone()).await, 206);
    assert_eq!(guarded("\"other\"".to_owned()).await, 200);
    assert_eq!(guarded(format!("W/{tag}")).await, 200);
}

#[tokio::test]
async fn checklist_7_several_ranges_come_as_parts() {
    let (server, payload, path) = with_file(1_000).await;
    let answer = get(&server, &path, &[("Range", "bytes=0-9,500-519")]).await;
    assert_eq!(answer.status, 206);
    let kind = answer.header("content-type").expect("type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("multipart").to_owned();
    let mut expected = Vec::new();
    for (range, shown) in [(0..10, "0-9"), (500..520, "500-519")] {
        if !expected.is_empty() {
            expected.extend_from_slice(b"\r\n");
        }
        let head = format!(
            "--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {shown}/1000\r\n\r\n"
        );
        expected.extend_from_slice(head.as_bytes());
        expected.extend_from_slice(&payload.bytes[range]);
    }
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert!(answer.body == expected);
    assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
}

#[tokio::test]
async fn only_verified_files_are_served() {
    let (server, payload, path) = with_file(1_000).await;
    let set = |state| {
        let changed = server.state.store.write(&actor(), |tx| tx.content_file_set_state(payload.sha1(), state));
        changed.expect("state");
    };
    set(ContentState::Quarantined);
    assert_eq!(get(&server, &path, &[]).await.status, 404);
    set(ContentState::Verified);
    assert_eq!(get(&server, &path, &[]).await.status, 200);
    let other = Payload::random("other.exe", 10, 8);
    assert_eq!(get(&server, &format!("/Content/{}", other.content_path()), &[]).await.status, 404);
}

#[tokio::test]
async fn checklist_9_self_update_comes_from_a_folder_or_not_at_all() {
    let server = Server::start().await;
    assert_eq!(get(&server, "/SelfUpdate/wuident.cab", &[]).await.status, 404);
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("wuident.cab"), b"MSCF...").expect("file");
    std::fs::write(folder.path().parent().expect("parent").join("outside.txt"), b"x").expect("file");
    server.set(|settings| settings.self_update = Some(folder.path().to_owned()));
    let answer = get(&server, "/selfupdate/WUIDENT.cab", &[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"MSCF..."[..]));
    assert_eq!(server.send("HEAD", "/SelfUpdate/wuident.cab", &[], "").await.status, 200);
    for path in ["/SelfUpdate/../outside.txt", "/SelfUpdate/absent.cab", "/SelfUpdate/"] {
        assert_eq!(get(&server, path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn files_are_limited_by_address() {
    let server = Server::start_with(ClientSettings { anonymous_burst: 1, ..ClientSettings::default() }).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(get(&server, "/SelfUpdate/wuident.cab", &[]).await.status);
    }
    assert!(statuses.starts_with(&[404; 8]), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
}
