//! The way without a network: imports, bundles, exports.

use axum::body::Body;
use futures_util::stream;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::{ID, OTHER, asked, bundle, export, good, has, list, location, stub, sync, upload};
use crate::tests::{problem, session, text};

fn part(number: u8) -> Vec<u8> {
    [&b"WEIRPART\x01\0\0\0"[..], &[number, 0, 0, 0], b"and the rest"].concat()
}

#[tokio::test]
async fn documents_go_to_rest_as_they_are_sent() {
    let import = json!({"id": 3, "state": "running", "phase": "read", "done": 0, "total": 0, "started_at": super::AT, "finished_at": null, "result": null});
    let stub = stub().with("GET /sync", &sync("none", None, None, None)).with("POST /imports", &import);
    has(
        &good(&stub, "/infrastructure/import").await,
        &["enctype=\"multipart/form-data\"", "data-upload", "documents?strict=1", "type=\"file\""],
    );
    let response = stub
        .send(upload("/infrastructure/import/documents?strict=1", &[("file", Some("catalogue.cab"), b"MSCF")]))
        .await;
    assert_eq!(location(&response), "/infrastructure/import/3");
    let sent = asked(&stub, "POST /imports?strict=true");
    assert!(sent.len() == 1 && sent[0].contains("catalogue.cab") && sent[0].contains("MSCF"), "{sent:?}");
    let replica = problem(409, "is_replica", "this site is a replica of CENTRAL");
    let stub = stub.refusing("POST /imports", 409, replica);
    let page = text(stub.send(upload("/infrastructure/import/documents", &[("file", Some("x"), b"x")])).await).await;
    has(&page, &["this site is a replica of CENTRAL", "role=\"alert\""]);
}

#[tokio::test]
async fn an_import_says_what_came_of_it() {
    let page = good(&stub(), "/infrastructure/import/3").await;
    has(&page, &["Import 3", "Record 4:", "Unresolved revisions are kept", "href=\"/updates\""]);
}

#[tokio::test]
async fn content_that_was_refused_is_named() {
    let added = json!({"added": 1, "unchanged": 2, "rejected": 3, "errors": [{"file": "a.cab", "message": "no update names it"}]});
    let stub = stub().with("POST /content", &added);
    let page = text(stub.send(upload("/infrastructure/import/content", &[("file", Some("a.cab"), b"x")])).await).await;
    has(&page, &["a.cab", "no update names it", "and 2 more"]);
}

#[tokio::test]
async fn a_bundle_is_offered_first_and_its_parts_follow() {
    let stub = stub()
        .with("POST /bundles", &bundle(&[1, 2]))
        .with(&format!("PUT /bundles/{ID}/parts/2"), &bundle(&[1]))
        .refusing(&format!("PUT /bundles/{ID}/parts/1"), 400, problem(400, "bundle_altered", "part 1 was altered"));
    let fields = |parts: &[(&'static str, Vec<u8>)]| {
        let mut fields: Vec<(&str, Option<&str>, Vec<u8>)> = vec![
            ("force", None, b"1".to_vec()),
            ("head", Some("march.weir"), b"{\"format\":\"weir-bundle\"}".to_vec()),
            ("head", Some("march.weir.sig"), b"WEIRSIG1 and so on".to_vec()),
        ];
        fields.extend(parts.iter().map(|(name, bytes)| ("part", Some(*name), bytes.clone())));
        let fields: Vec<(&str, Option<&str>, &[u8])> =
            fields.iter().map(|(name, file, bytes)| (*name, *file, bytes.as_slice())).collect();
        upload("/infrastructure/import/bundles", &fields)
    };
    let response = stub.send(fields(&[("march.weir.002", part(2))])).await;
    assert_eq!(location(&response), format!("/infrastructure/import/bundles/{ID}"));
    let sent = stub.asked();
    let at = |begin: &str| sent.iter().position(|asked| asked.starts_with(begin)).unwrap();
    assert!(at("POST /bundles?force=true") < at(&format!("PUT /bundles/{ID}/parts/2")), "{sent:?}");
    assert!(sent.iter().any(|asked| asked.starts_with("PUT") && asked.contains("and the rest")), "{sent:?}");
    assert!(sent.iter().any(|asked| asked.contains("\"signature\":\"V0VJUlNJRzE")), "{sent:?}");
    let page = text(stub.send(fields(&[("march.weir.001", part(1)), ("readme.txt", b"hello".to_vec())])).await).await;
    has(&page, &["march.weir.001", "part 1 was altered", "readme.txt", "This is no part of a bundle."]);
}

#[tokio::test]
async fn what_is_no_bundle_is_refused_before_anything_is_asked() {
    let stub = stub();
    let request = upload("/infrastructure/import/bundles", &[("head", Some("a.weir"), b"{}")]);
    has(&text(stub.send(request).await).await, &["id=\"e-head\"", "two files"]);
    assert!(asked(&stub, "POST").is_empty(), "{:?}", stub.asked());
}

#[tokio::test]
async fn an_unknown_signer_leads_to_trusting_it() {
    let key = "0123456789abcdef".repeat(4);
    let refused =
        problem(409, "untrusted_signer", &format!("the bundle is signed by {key}, whom this site does not trust"));
    let stub = stub().refusing("POST /bundles", 409, refused);
    let fields: [(&str, Option<&str>, &[u8]); 2] = [("head", Some("a"), b"{}"), ("head", Some("b"), b"WEIRSIG1")];
    let page = text(stub.send(upload("/infrastructure/import/bundles", &fields)).await).await;
    has(&page, &["whom this site does not trust", "name=\"key\"", &key, "Trust a signer"]);
}

#[tokio::test]
async fn a_bundle_shows_what_it_awaits_and_is_applied_after_a_confirmation() {
    let page = good(&stub(), &format!("/infrastructure/import/bundles/{ID}")).await;
    has(&page, &["1 part is awaited", "Numbers: 2", "Drop", "4.0\u{a0}MB"]);
    assert!(!page.contains("/apply"), "{page}");
    let stub = stub()
        .with(&format!("GET /bundles/{ID}"), &bundle(&[]))
        .with(&format!("POST /bundles/{ID}/apply"), &bundle(&[]));
    has(&good(&stub, &format!("/infrastructure/import/bundles/{ID}")).await, &["/apply"]);
    let to = format!("/infrastructure/import/bundles/{ID}/apply");
    has(&good(&stub, &to).await, &["30 revisions of the bundle", "all or nothing", "cannot be undone"]);
    assert!(asked(&stub, "POST").is_empty());
    assert_eq!(location(&stub.form(&to, "").await), format!("/infrastructure/import/bundles/{ID}"));
    assert_eq!(stub.page(&format!("/infrastructure/import/bundles/{ID}/burn")).await.0, 404);
}

#[tokio::test]
async fn signers_are_trusted_and_no_longer() {
    let key = "ab".repeat(32);
    let wrong = problem(400, "key", "that is neither a fingerprint nor a public key");
    let stub =
        stub().refusing("POST /bundles/trust", 400, wrong).with(&format!("DELETE /bundles/trust/{key}"), &Value::Null);
    has(
        &text(stub.form("/infrastructure/import/signers", "key=zz&name=Plant").await).await,
        &["id=\"e-key\"", ">zz<", "value=\"Plant\""],
    );
    let to = format!("/infrastructure/import/signers/{key}/remove");
    has(&good(&stub, &to).await, &["Bundles of Central will be refused", "name=\"typed\""]);
    has(&text(stub.form(&to, "typed=Other").await).await, &["That is not the name."]);
    assert!(asked(&stub, "DELETE").is_empty());
    assert_eq!(location(&stub.form(&to, "typed=central").await), "/infrastructure/import?tab=signers");
    let empty = stub.with("GET /bundles/trust", &list(&json!([])));
    has(&good(&empty, "/infrastructure/import?tab=bundles").await, &["No signer is trusted yet", "tab=signers"]);
}

#[tokio::test]
async fn an_export_is_asked_for_with_what_it_builds_on() {
    let stub = stub().with("POST /exports", &export("running", "order"));
    has(
        &good(&stub, "/infrastructure/export").await,
        &["name=\"base\"", "value=\"client-settings\"", "What there is here", "data-upload"],
    );
    let text_field = |name, value| (name, None, value);
    let fields: Vec<(&str, Option<&str>, &[u8])> = vec![
        text_field("format", b"bundle".as_slice()),
        text_field("content", b"all"),
        text_field("with", b"deployments"),
        text_field("with", b"declines"),
        text_field("part_bytes", b"700000000"),
        ("base", Some("plant.inventory"), b"WEIR what the plant has"),
    ];
    let response = stub.send(upload("/infrastructure/export/new", &fields)).await;
    assert_eq!(location(&response), format!("/infrastructure/export/{ID}"));
    let wanted = "POST /exports?format=bundle&content=all&with=deployments%2Cdeclines&part_bytes=700000000 WEIR what the plant has";
    assert_eq!(asked(&stub, "POST /exports"), [wanted]);
    let refused = problem(400, "base", "a package is always the whole catalogue");
    let stub = stub.refusing("POST /exports", 400, refused);
    let page = text(stub.send(upload("/infrastructure/export/new", &[text_field("format", b"package")])).await).await;
    has(&page, &["id=\"e-base\"", "value=\"package\" selected"]);
}

#[tokio::test]
async fn a_form_of_an_export_is_bounded() {
    let stub = stub().with("POST /exports", &export("running", "order"));
    let long = vec![b'x'; 201];
    let many: Vec<(&str, Option<&str>, &[u8])> = vec![("with", None, b"rules".as_slice()); 100];
    for fields in [vec![("format", None, long.as_slice())], many] {
        let response = stub.send(upload("/infrastructure/export/new", &fields)).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        has(&text(response).await, &["Too large", "role=\"alert\""]);
    }
    assert!(asked(&stub, "POST /exports").is_empty());
}

#[tokio::test]
async fn what_somebody_may_not_do_is_refused_before_the_form_is_read() {
    let analyst = stub().with("GET /session", &session("read_only_analyst"));
    for address in [
        "/infrastructure/export/new".to_owned(),
        "/infrastructure/import/bundles".to_owned(),
        format!("/infrastructure/import/bundles/{ID}/parts"),
    ] {
        let endless = stream::pending::<Result<&'static [u8], std::io::Error>>();
        let request = Request::post(&address)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from_stream(endless));
        let response = analyst.send(request.unwrap()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{address}");
    }
    assert!(asked(&analyst, "POST").is_empty());
}

/// Forms without files are read up to a size; what is larger is answered by a page, too.
#[tokio::test]
async fn a_form_that_is_too_large_is_answered_by_a_page() {
    let form = format!("ids={}", "x".repeat(3 << 20));
    let response = stub().form("/infrastructure/export/arrived", &form).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    has(&text(response).await, &["<title>", "Too large"]);
}

#[tokio::test]
async fn files_of_an_export_are_fetched_and_make_room() {
    let stub = stub()
        .with(&format!("GET /exports/{ID}/files/1"), &json!("bytes"))
        .with(&format!("DELETE /exports/{ID}/files/1"), &Value::Null);
    let page = good(&stub, &format!("/infrastructure/export/{ID}")).await;
    has(
        &page,
        &["bundle.weir.001", "It waits until parts are fetched.", &format!("value=\"{ID}/1\""), "They have arrived"],
    );
    let request = Request::get(format!("/infrastructure/export/{ID}/files/1"))
        .header(header::RANGE, "bytes=0-")
        .body(Body::empty());
    let response = stub.send(request.unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"bundle.weir.001\"");
    let form = format!("ids={ID}%2F1,{OTHER}%2F1&act=arrived");
    has(
        &text(stub.form("/infrastructure/export/arrived", &form).await).await,
        &["1 file has arrived", "bundle.weir.001", "To undo:"],
    );
    assert!(asked(&stub, "DELETE").is_empty());
    let response = stub.form("/infrastructure/export/arrived", &format!("{form}&sure=1")).await;
    assert_eq!(location(&response), format!("/infrastructure/export/{ID}"));
    assert_eq!(asked(&stub, "DELETE"), [format!("DELETE /exports/{ID}/files/1")]);
    assert_eq!(
        location(&stub.form("/infrastructure/export/arrived", "act=arrived&from=%2Finfrastructure%2Fexport").await),
        "/infrastructure/export"
    );
}
