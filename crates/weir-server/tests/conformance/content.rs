//! Content and self-update (checklist 7 to 9).

use std::time::Duration;

use weir_server::state::ClientSettings;
use weir_store::content_file::ContentState;
use weir_testkit::{Payload, Random, agent::NeededFile, http::Answer};

use crate::{
    common::{Server, actor},
    support::Wire,
    whole::Whole,
};

async fn with_file(size: usize) -> (Server, Payload, String) {
    let server = Server::start().await;
    let payload = Payload::random("Setup.EXE", size, 7);
    server.add_content(&payload).await;
    let path = format!("/Content/{}", payload.content_path());
    (server, payload, path)
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.send("GET", path, headers, "").await
}

/// Checklist 7: 200 and HEAD, with the headers of the recorded answers and a stable ETag.
#[tokio::test]
async fn c07_whole_files_and_heads() {
    let (server, payload, path) = with_file(700_001).await;
    let whole = get(&server, &path, &[]).await;
    assert_eq!(whole.status, 200);
    assert!(whole.body == payload.bytes);
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("700001"));
    let tag = whole.header("etag").expect("ETag").to_owned();
    assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "a strong tag: {tag}");
    let modified = whole.header("last-modified").expect("Last-Modified").to_owned();
    assert!(modified.ends_with(" GMT"), "{modified}");

    let head = server.send("HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "etag", "last-modified", "accept-ranges"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    // a range of a HEAD is ignored (RFC 9110 section 14.2)
    let head = server.send("HEAD", &path, &[("Range", "bytes=0-0")], "").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("700001")));

    assert_eq!(get(&server, &path, &[("If-None-Match", &tag)]).await.status, 304);
    assert_eq!(get(&server, &path, &[("If-Modified-Since", &modified)]).await.status, 304);
    assert_eq!(get(&server, &path, &[("If-Match", "\"other\"")]).await.status, 412);
    assert_eq!(server.send("POST", &path, &[], "").await.status, 405);

    // the same after a restart, so that a download can go on
    let server = server.restart(ClientSettings::default()).await;
    let again = get(&server, &path, &[]).await;
    assert_eq!((again.header("etag"), again.header("last-modified")), (Some(tag.as_str()), Some(modified.as_str())));
}

/// Checklist 7: closed, open and suffix ranges, an end beyond the file, 416.
#[tokio::test]
async fn c07_content_ranges() {
    let (server, payload, path) = with_file(1_000).await;
    let cases = [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=999-999", 999..1_000),
        ("bytes=990-", 990..1_000),
        ("bytes=0-", 0..1_000),
        ("bytes=-5", 995..1_000),
        ("bytes=-5000", 0..1_000),
        ("bytes=900-5000", 900..1_000),
        ("bytes=0-18446744073709551615", 0..1_000),
        ("BYTES=1-2", 1..3),
    ];
    for (range, expected) in cases {
        let answer = get(&server, &path, &[("Range", range)]).await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, payload.bytes[expected.clone()], "{range}");
        let shown = format!("bytes {}-{}/1000", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), Some(shown.as_str()), "{range}");
        assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()), "{range}");
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"), "{range}");
    }
    for range in ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=5000-"] {
        let answer = get(&server, &path, &[("Range", range)]).await;
        assert_eq!((answer.status, answer.body.len()), (416, 0), "{range}");
        assert_eq!(answer.header("content-range"), Some("bytes */1000"), "{range}");
    }
    for range in ["bytes=9-1", "bytes=a-b", "bytes=", "lines=0-5", "0-5", "bytes=1-2,x"] {
        let answer = get(&server, &path, &[("Range", range)]).await;
        assert_eq!((answer.status, answer.body.len()), (200, 1_000), "{range} is no range");
    }
}

/// Checklist 7: If-Range by tag and by date.
#[tokio::test]
async fn c07_if_range() {
    let (server, _, path) = with_file(1_000).await;
    let whole = get(&server, &path, &[]).await;
    let tag = whole.header("etag").expect("ETag").to_owned();
    let modified = whole.header("last-modified").expect("date").to_owned();
    let cases = [
        (tag.clone(), 206, 10),
        (modified, 206, 10),
        ("\"other\"".to_owned(), 200, 1_000),
        (format!("W/{tag}"), 200, 1_000),
        ("Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), 200, 1_000),
        ("nonsense".to_owned(), 200, 1_000),
    ];
    for (value, status, length) in cases {
        let answer = get(&server, &path, &[("Range", "bytes=0-9"), ("If-Range", &value)]).await;
        assert_eq!((answer.status, answer.body.len()), (status, length), "{value}");
    }
}

/// Checklist 7: several ranges come as parts, in the order asked for.
#[tokio::test]
async fn c07_several_ranges() {
    let (server, payload, path) = with_file(1_000).await;
    let answer = get(&server, &path, &[("Range", "bytes=500-519, 0-9 ,-1")]).await;
    assert_eq!(answer.status, 206);
    let kind = answer.header("content-type").expect("type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("multipart").to_owned();
    let mut expected = Vec::new();
    for (range, shown) in [(500..520, "500-519"), (0..10, "0-9"), (999..1_000, "999-999")] {
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
    assert_eq!(String::from_utf8_lossy(&answer.body), String::from_utf8_lossy(&expected));
    assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
}

/// Checklist 7: any case, any extension, never compressed, and no way out of the folder.
#[tokio::test]
async fn c07_any_case_never_compressed_and_no_traversal() {
    let (server, payload, path) = with_file(1_000).await;
    for path in
        [path.to_lowercase(), path.to_uppercase(), path.replace(".EXE", ".cab"), path.replace("/Content", "/cONTENT")]
    {
        let answer = get(&server, &path, &[("Accept-Encoding", "xpress, gzip")]).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, None), "{path}");
        assert!(answer.body == payload.bytes, "{path}");
    }
    let name = path.strip_prefix("/Content/").expect("path").to_owned();
    for path in [
        "/Content/../weir.db".to_owned(),
        "/Content/%2e%2e/weir.db".to_owned(),
        "/Content/..%2fweir.db".to_owned(),
        "/Content/..\\weir.db".to_owned(),
        "/Content//weir.db".to_owned(),
        "/Content/AA/../../weir.db".to_owned(),
        "/Content/../../../../../../etc/passwd".to_owned(),
        format!("/Content/./{name}"),
        format!("/Content/{name}/"),
        format!("/Content/{name}%00.txt"),
        format!("/Content/AA/{name}"),
        format!("/Content/{}", &name[3..]),
        format!("/{name}"),
        "/Content/".to_owned(),
        "/content".to_owned(),
        "/weir.db".to_owned(),
    ] {
        assert_eq!(get(&server, &path, &[]).await.status, 404, "{path}");
    }
}

/// Checklist 7: a file that is damaged, or not known, is not there.
#[tokio::test]
async fn c07_only_verified_files_are_served() {
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

/// Checklist 8: shuffled pieces of 1 MiB over seven connections that stay open, as recorded: no conditionals,
/// `Content-Length: 0`, a closed range each.
#[tokio::test]
async fn c08_shuffled_ranges_on_seven_connections() {
    const PIECE: usize = 1 << 20;
    let (server, payload, path) = with_file(24 * PIECE + 12_345).await;
    let count = payload.bytes.len().div_ceil(PIECE);
    let mut pieces: Vec<usize> = (0..count).collect();
    Random::new(8).shuffle(&mut pieces);
    assert_ne!(pieces, (0..count).collect::<Vec<_>>());
    let mut lanes = Vec::new();
    for lane in 0..7 {
        let pieces: Vec<usize> = pieces.iter().copied().skip(lane).step_by(7).collect();
        let (base, path, size) = (server.base.clone(), path.clone(), payload.bytes.len());
        lanes.push(tokio::spawn(async move {
            let mut wire = Wire::to(&base).await;
            let mut fetched = Vec::new();
            for piece in pieces {
                let (start, end) = (piece * PIECE, ((piece + 1) * PIECE).min(size));
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: weir.test\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\
                     Range: bytes={start}-{}\r\nUser-Agent: Microsoft-Delivery-Optimization/10.1\r\n\r\n",
                    end - 1
                );
                wire.send(request.as_bytes()).await;
                let answer = wire.answer().await.expect("the connection stays open");
                assert_eq!(answer.status, 206);
                assert_eq!(answer.header("content-range"), Some(format!("bytes {start}-{}/{size}", end - 1).as_str()));
                fetched.push((start, answer.header("etag").expect("ETag").to_owned(), answer.body));
            }
            fetched
        }));
    }
    let mut content = vec![0; payload.bytes.len()];
    let mut tags = std::collections::BTreeSet::new();
    for lane in lanes {
        for (start, tag, bytes) in lane.await.expect("lane") {
            content[start..start + bytes.len()].copy_from_slice(&bytes);
            tags.insert(tag);
        }
    }
    assert_eq!(tags.len(), 1, "one tag: {tags:?}");
    assert!(content == payload.bytes);
    // and as the scripted agent does it, with its own checks
    let file = NeededFile {
        digest: payload.sha1(),
        name: payload.name.clone(),
        size: payload.bytes.len() as u64,
        sha256: payload.sha256().to_base64(),
        url: format!("{}{path}", server.base),
    };
    assert!(weir_testkit::agent::download(&file).await.expect("download") == payload.bytes);
}

/// Checklist 8: agents pause for about 30 seconds between calls and go on with the same connection. On the listeners of
/// the product, with their default settings.
#[tokio::test]
async fn c08_an_idle_connection_lives_31_seconds() {
    let server = Whole::start(|_| {}).await;
    let mut wire = Wire::to(&server.base).await;
    let request = b"GET /SelfUpdate/wuident.cab HTTP/1.1\r\nHost: weir.test\r\nConnection: Keep-Alive\r\n\r\n";
    wire.send(request).await;
    assert_eq!(wire.answer().await.expect("answer").status, 404);
    // this time is what the item is about
    tokio::time::sleep(Duration::from_secs(31)).await;
    wire.send(request).await;
    assert_eq!(wire.answer().await.expect("the connection is still open").status, 404);
    server.stop().await;
}

/// Checklist 9: `wuident.cab` and what it names come from the administrator's folder, in any case; else 404.
#[tokio::test]
async fn c09_self_update_comes_from_a_folder_or_not_at_all() {
    let server = Server::start().await;
    for method in ["GET", "HEAD"] {
        assert_eq!(server.send(method, "/SelfUpdate/wuident.cab", &[], "").await.status, 404);
    }
    let outer = tempfile::tempdir().expect("folder");
    let folder = outer.path().join("self-update");
    std::fs::create_dir_all(folder.join("AU/x86")).expect("folders");
    std::fs::write(folder.join("wuident.cab"), b"MSCF...").expect("file");
    std::fs::write(folder.join("AU/x86/Setup.cab"), b"setup").expect("file");
    std::fs::write(outer.path().join("outside.txt"), b"secret").expect("file");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outer.path().join("outside.txt"), folder.join("link.cab")).expect("link");
    server.set(|settings| settings.self_update = Some(folder.clone()));
    for path in ["/SelfUpdate/wuident.cab", "/selfupdate/WUIDENT.CAB"] {
        let answer = get(&server, path, &[]).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"MSCF..."[..]), "{path}");
        assert_eq!(server.send("HEAD", path, &[], "").await.header("content-length"), Some("7"));
    }
    assert_eq!(get(&server, "/SelfUpdate/au/X86/setup.CAB", &[]).await.body, b"setup");
    assert_eq!(get(&server, "/SelfUpdate/wuident.cab", &[("Range", "bytes=0-3")]).await.body, b"MSCF");
    for path in [
        "/SelfUpdate/../outside.txt",
        "/SelfUpdate/AU/../../outside.txt",
        "/SelfUpdate/%2e%2e/outside.txt",
        "/SelfUpdate/..\\outside.txt",
        "/SelfUpdate//etc/passwd",
        "/SelfUpdate/link.cab",
        "/SelfUpdate/absent.cab",
        "/SelfUpdate/AU",
        "/SelfUpdate/AU/",
        "/SelfUpdate/",
        "/SelfUpdate",
    ] {
        assert_eq!(get(&server, path, &[]).await.status, 404, "{path}");
    }
}
