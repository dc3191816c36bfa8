//! An upstream server that goes wrong at each step: a clear error with what to do, the catalogue stays, the next run
//! completes.

use std::{convert::Infallible, time::Duration};

use axum::{body::Bytes, response::IntoResponse as _};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, header};
use serde_json::json;
use weir_testkit::{
    Document,
    upstream::{At, Served, Trouble, Upstream},
};
use weir_wire::{
    wsss::{Operation, blob},
    xpress,
};

use crate::{
    catalogue,
    cuts::{run, whole},
    state::{Rows, copy, difference, exactly, folder, newest, settled},
    support::{Downstream, all_of, id, identity, served, software},
};

/// What a later synchronization of a replica calls.
const STEPS: &[Operation] = &[
    Operation::GetAuthConfig,
    Operation::GetAuthorizationCookie,
    Operation::GetCookie,
    Operation::GetConfigData,
    Operation::GetRevisionIdList,
    Operation::GetUpdateData,
    Operation::GetUpdateDecryptionData,
    Operation::GetDeployments,
];

/// A replica that synchronized once, and an upstream server where something of everything changed since.
struct Scene {
    upstream: Upstream,
    base: Downstream,
    end: Rows,
    changed: Served,
}

impl Scene {
    async fn new() -> Self {
        let upstream = Upstream::start(catalogue::first());
        let mut base = Downstream::open(folder()).await;
        base.replica = true;
        whole(&base, &upstream.url()).await;
        upstream.change(catalogue::change);
        let changed = upstream.change(|served| served.clone());
        let uncut = copy(&base).await;
        limit(&uncut);
        whole(&uncut, &upstream.url()).await;
        Self { end: settled(&uncut), upstream, base, changed }
    }

    async fn downstream(&self) -> Downstream {
        let downstream = copy(&self.base).await;
        limit(&downstream);
        downstream
    }

    /// A run with this trouble at every call of a step must fail, in these words and with this advice.
    async fn fails(&self, step: Operation, trouble: impl Fn() -> Trouble, expected: &Expected) {
        let upstream = Upstream::start(self.changed.clone());
        let downstream = self.downstream().await;
        let before = exactly(&downstream);
        upstream.trouble(At::Every(step), trouble());
        let place = format!("{:?} at {step}", trouble());
        let error = run(&downstream, &upstream.url()).await.expect_err(&place);
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        let (code, words, advice) = *expected;
        assert!(code.split('|').any(|code| error.code() == code), "{place}: {} for {text}", error.code());
        assert!(words.split('|').any(|words| text.contains(words)), "{place}: {text}");
        assert!(text.contains(step.name()) || code.contains("nothing"), "{place}: {text}");
        assert!(advice.split('|').any(|advice| error.next_step().contains(advice)), "{place}: {}", error.next_step());
        let changed = difference(&before, &exactly(&downstream));
        // anchors of a server that became another one are forgotten
        let changed = changed.filter(|text| code != "server_changed" || !text.starts_with("anchors"));
        assert_eq!(changed, None, "{place}: the catalogue stays");
        upstream.calm();
        whole(&downstream, &upstream.url()).await;
        assert_eq!(difference(&settled(&downstream), &self.end), None, "{place}");
    }
}

/// Codes, words and advice; alternatives are divided by `|`.
type Expected = (&'static str, &'static str, &'static str);

fn limit(downstream: &Downstream) {
    downstream.set("sync.answer_mib", json!(4));
    downstream.set("sync.timeout_seconds", json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_step_is_clear_and_changes_nothing() {
    let scene = Scene::new().await;
    let log = "upstream server's log";
    let cases: &[(&str, Expected)] = &[
        ("InvalidParameters", ("fault|nothing_usable", "InvalidParameters", log)),
        ("InvalidCookie", ("not_authorized", "InvalidCookie", "weir downstream allow")),
        ("InvalidAuthorizationCookie", ("not_authorized", "InvalidAuthorizationCookie", "weir downstream allow")),
        ("IncompatibleProtocolVersion", ("protocol_version", "IncompatibleProtocolVersion", "too old, or too new")),
        ("InternalServerError", ("fault|nothing_usable", "InternalServerError", "log")),
        ("ServerChanged", ("server_changed", "ServerChanged", log)),
        ("FileDigestsMissing", ("fault", "FileDigestsMissing", log)),
        ("TooManyIds", ("fault", "TooManyIds", log)),
        ("NeverHeardOf", ("fault", "NeverHeardOf", log)),
    ];
    for (fault, expected) in cases {
        for step in STEPS {
            let expected = match (expected, step) {
                ((_, words, _), Operation::GetUpdateData) if expected.0.contains("nothing") => {
                    ("nothing_usable|fault", *words, "healthy|log")
                }
                _ => *expected,
            };
            scene.fails(*step, || Trouble::Fault((*fault).to_owned()), &expected).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_answer_at_every_step_is_clear_and_changes_nothing() {
    let scene = Scene::new().await;
    let (proxy, runs) = ("proxy", "whether the upstream server runs");
    let cases: Vec<(fn() -> Trouble, Expected)> = vec![
        (|| Trouble::Garbage, ("bad_answer", "does not answer", proxy)),
        (|| Trouble::Answer(String::new()), ("bad_answer", "does not answer", proxy)),
        (|| Trouble::Answer("\u{0}\u{1}\u{2}<<<".to_owned()), ("bad_answer", "does not answer", proxy)),
        (|| Trouble::Close, ("network", "cannot be reached or broke off", runs)),
        (|| Trouble::Truncated, ("network", "cannot be reached or broke off", runs)),
        (
            || Trouble::Endless,
            (
                "too_large",
                "larger than 4194304 bytes|larger than 1048576 bytes",
                "weir settings set sync.answer_mib|sync.memory_mib|none needs so much",
            ),
        ),
        (|| Trouble::Status(302), ("http_status", "answers 302", "weir settings show source")),
        (|| Trouble::Status(404), ("http_status", "answers 404", "weir settings show source")),
        (|| Trouble::Status(500), ("http_status", "answers 500", "weir settings show source")),
        (|| Trouble::Status(503), ("http_status", "answers 503", "weir settings show source")),
    ];
    for (trouble, expected) in cases {
        for step in STEPS {
            let is_data = *step == Operation::GetUpdateData && !matches!(expected.0, "network" | "http_status");
            let (code, words, advice) = expected;
            let expected =
                if is_data { ("nothing_usable|bad_answer|too_large", words, "healthy") } else { (code, words, advice) };
            scene.fails(*step, trouble, &expected).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_at_every_step_ends_after_the_time_that_is_set() {
    let scene = Scene::new().await;
    let expected =
        ("network|too_long", "broke off|did not end", "whether the upstream server runs|sync.timeout_seconds");
    futures_util::future::join_all(STEPS.iter().map(|step| scene.fails(*step, || Trouble::Hang, &expected))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_anywhere_loses_nothing() {
    let scene = Scene::new().await;
    for fault in ["InternalServerError", "ServerChanged", "InvalidCookie", "InvalidParameters", "Garbage"] {
        for request in 1.. {
            let upstream = Upstream::start(scene.changed.clone());
            let downstream = scene.downstream().await;
            let trouble = if fault == "Garbage" { Trouble::Garbage } else { Trouble::Fault(fault.to_owned()) };
            upstream.trouble(At::Request(request), trouble);
            let ended = run(&downstream, &upstream.url()).await;
            let came = upstream.log().len() >= request;
            upstream.calm();
            if let Ok(outcome) = &ended {
                // a revision that was asked for alone may be to blame
                assert!(outcome.dropped <= 1, "{fault} at {request}: {:?}", outcome.problems);
                let named = outcome.problems.iter().all(|named| named.reason.contains("the next run asks again"));
                assert!(named, "{fault} at {request}: {:?}", outcome.problems);
            }
            whole(&downstream, &upstream.url()).await;
            assert_eq!(downstream.stored(), all_of(&scene.upstream), "{fault} at {request}");
            if !came {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_becomes_another_one_at_any_request_is_followed() {
    let scene = Scene::new().await;
    for request in 1.. {
        let upstream = Upstream::start(scene.changed.clone());
        let downstream = scene.downstream().await;
        let change = |served: &mut Served| {
            served.incarnation += 1;
            served.config.max_number_of_updates_per_request = 1;
        };
        upstream.trouble(At::Request(request), Trouble::Change(Box::new(change)));
        let ended = run(&downstream, &upstream.url()).await;
        let came = upstream.log().len() >= request;
        if let Err(error) = ended {
            assert!(["server_changed", "not_authorized"].contains(&error.code()), "at {request}: {error:?}");
        }
        upstream.calm();
        whole(&downstream, &upstream.url()).await;
        assert_eq!(downstream.stored(), all_of(&scene.upstream), "at {request}");
        if !came {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_in_place_of_a_document_is_named_and_comes_once_it_is_right() {
    let scene = Scene::new().await;
    let wanted = identity(16, 1);
    let right = scene.changed.revisions[&wanted].text.clone();
    let other = scene.changed.revisions[&identity(17, 1)].text.clone();
    let cases = [
        ("another document", other, "is that of"),
        ("no document", "nothing".to_owned(), "cannot be used"),
        ("a bomb", format!("<!DOCTYPE u [<!ENTITY a \"{}\">]><u>&a;</u>", "a".repeat(100)), "cannot be used"),
        ("half of it", right[..right.len() / 2].to_owned(), "cannot be used"),
    ];
    for (what, text, words) in cases {
        let upstream = Upstream::start(scene.changed.clone());
        let downstream = scene.downstream().await;
        let put = |text: String| {
            upstream.change(|served| served.revisions.get_mut(&wanted).expect("served").text = text);
        };
        put(text);
        let outcome = run(&downstream, &upstream.url()).await.expect("the others come");
        let [problem] = outcome.problems.as_slice() else { panic!("{what}: {:?}", outcome.problems) };
        assert_eq!((outcome.dropped, problem.revision), (1, wanted), "{what}");
        assert!(problem.reason.contains(words), "{what}: {}", problem.reason);
        assert!(problem.reason.contains("the next run asks again"), "{what}: {}", problem.reason);
        assert!(!downstream.stored().contains(&wanted), "{what}");
        put(right.clone());
        whole(&downstream, &upstream.url()).await;
        assert_eq!(downstream.stored(), all_of(&scene.upstream), "{what}");
        assert_eq!(downstream.text(wanted), right);
    }
}

/// A bomb of a cabinet, and cabinets that are damaged in every way that one byte can damage them.
#[tokio::test(flavor = "multi_thread")]
async fn cabinets_that_are_damaged_or_too_large_are_named_and_not_stored() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::open(folder()).await;
    limit(&downstream);
    whole(&downstream, &upstream.url()).await;
    let good = blob::compress(&software(11, 1).rules_of_size(20_000).to_xml()).expect("a cabinet");
    let mut bomb = good.clone();
    // the plain size of the one file of the cabinet (MS-CAB 2.2, after the header of 36 bytes and the folder of 8)
    bomb[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
    let step = good.len() / 40;
    let damaged = (0..good.len()).step_by(step.max(1)).map(|at| {
        let mut cabinet = good.clone();
        cabinet[at] ^= 0xff;
        cabinet
    });
    let before = exactly(&downstream);
    upstream.change(|served| served.add(&software(11, 1).rules_of_size(20_000)));
    for (number, cabinet) in std::iter::once(bomb).chain(damaged).enumerate() {
        // what an earlier pass held against it does not matter here
        let downstream = copy(&downstream).await;
        let answer = format!(
            "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><GetUpdateDataResponse \
             xmlns=\"http://www.microsoft.com/SoftwareDistribution\"><GetUpdateDataResult><updates><ServerSyncUpdateData>\
             <Id><UpdateID>{}</UpdateID><RevisionNumber>1</RevisionNumber></Id><XmlUpdateBlobCompressed>{}\
             </XmlUpdateBlobCompressed></ServerSyncUpdateData></updates><fileUrls /></GetUpdateDataResult>\
             </GetUpdateDataResponse></soap:Body></soap:Envelope>",
            id(11),
            BASE64_STANDARD.encode(cabinet)
        );
        upstream.trouble(At::Every(Operation::GetUpdateData), Trouble::Answer(answer));
        let outcome = run(&downstream, &upstream.url()).await.expect("synchronizes");
        if outcome.dropped == 1 {
            assert_eq!(outcome.problems[0].revision, identity(11, 1));
            assert_eq!(difference(&before, &exactly(&downstream)).filter(|text| !text.starts_with("anchors")), None);
        } else {
            // times and attributes of the file do not matter
            assert_eq!(downstream.text(identity(11, 1)), software(11, 1).rules_of_size(20_000).to_xml(), "{number}");
        }
        upstream.calm();
        whole(&downstream, &upstream.url()).await;
        assert_eq!(downstream.stored(), all_of(&upstream), "{number}");
    }
}

/// An upstream server that answers everything with this, packed.
async fn answering(coding: &'static str, body: Vec<u8>, endless: bool) -> String {
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", tcp.local_addr().expect("address"));
    let body = Bytes::from(body);
    let routes = axum::Router::new().fallback(move || async move {
        let body = if endless {
            axum::body::Body::from_stream(stream::repeat(body).map(Ok::<_, Infallible>))
        } else {
            axum::body::Body::from(body)
        };
        ([(header::CONTENT_ENCODING, HeaderValue::from_static(coding))], body).into_response()
    });
    tokio::spawn(async move { axum::serve(tcp, routes).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_garbage_and_bombs_are_bounded() {
    let downstream = Downstream::open(folder()).await;
    // the limit of bytes is to end it, not that of time, however slow the machine is
    limit(&downstream);
    downstream.set("sync.timeout_seconds", json!(15));
    let before = exactly(&downstream);
    let bomb = xpress::compress_greedy(&vec![b' '; 9 << 20]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    // many at once: one by one, the frames of HTTP would take longer than what is tested
    let blocks = xpress::compress_greedy(&vec![b' '; 60_000]).repeat(500);
    let cases = [
        ("xpress", bomb, false, "too_large", "update server"),
        ("xpress", blocks, true, "too_large", "update server"),
        ("xpress", b"this is not packed".to_vec(), false, "bad_answer|too_large", "proxy|update server"),
        ("xpress", vec![0xff; 4_000], false, "bad_answer|too_large", "proxy|update server"),
        ("xpress", [9_u32.to_le_bytes(), 8_u32.to_le_bytes()].concat(), false, "bad_answer", "proxy"),
        ("gzip", b"\x1f\x8b\x08".to_vec(), false, "bad_answer", "proxy"),
        ("identity", vec![b' '; 5 << 20], true, "too_large", "update server"),
    ];
    for (number, (coding, body, endless, codes, advice)) in cases.into_iter().enumerate() {
        let url = answering(coding, body, endless).await;
        let ended = tokio::time::timeout(Duration::from_secs(60), run(&downstream, &url)).await;
        let error = ended.expect("bounded").expect_err("no answer");
        assert!(codes.split('|').any(|code| code == error.code()), "{number}: {error:?}");
        assert!(advice.split('|').any(|advice| error.next_step().contains(advice)), "{number}: {}", error.next_step());
        assert!(error.to_string().contains("GetAuthConfig"), "{number}: {error}");
        assert_eq!(difference(&before, &exactly(&downstream)), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirections_are_not_followed() {
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", tcp.local_addr().expect("address"));
    let target = url.clone();
    let routes = axum::Router::new().fallback(move |path: http::Uri| async move {
        axum::response::Redirect::temporary(&format!("{target}{path}"))
    });
    tokio::spawn(async move { axum::serve(tcp, routes).await });
    let downstream = Downstream::open(folder()).await;
    let error = run(&downstream, &url).await.expect_err("turns in circles");
    assert_eq!(error.code(), "http_status");
    assert!(error.to_string().contains("answers 307"), "{error}");
    assert!(error.next_step().contains("weir settings show source"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cycles_are_taken_and_stay_out_of_every_scope() {
    let cyclic = [
        software(40, 1).requires(id(41)),
        software(41, 1).requires(id(42)),
        software(42, 1).requires(id(40)),
        software(43, 1).requires(id(43)),
        software(50, 1).bundles([identity(51, 1)]),
        Document::member(id(51), 1).bundles([identity(52, 1)]),
        Document::member(id(52), 1).bundles([identity(50, 1)]),
        software(53, 1).bundles([identity(53, 1)]),
        software(54, 1).supersedes(id(55)),
        software(55, 1).supersedes(id(54)),
        software(60, 1),
    ];
    let mut served = served(cyclic);
    served.lists_members = false;
    served.config.max_number_of_updates_per_request = 2;
    let upstream = Upstream::start(served);
    let downstream = Downstream::open(folder()).await;
    whole(&downstream, &upstream.url()).await;
    assert_eq!(downstream.stored(), all_of(&upstream));
    downstream.app.state.live.republish().await.expect("publishes");
    let before = exactly(&downstream);
    whole(&downstream, &upstream.url()).await;
    assert_eq!(difference(&before, &exactly(&downstream)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_that_go_backwards_do_not() {
    let upstream = Upstream::start(served([software(10, 1), software(11, 5)]));
    let downstream = Downstream::open(folder()).await;
    whole(&downstream, &upstream.url()).await;
    upstream.change(|served| served.add(&software(10, 2)));
    whole(&downstream, &upstream.url()).await;
    assert_eq!((newest(&downstream, id(10)), newest(&downstream, id(11))), (2, 5));
    // restored from yesterday: one revision is known, the other one is not
    upstream.change(|served| {
        served.revisions.remove(&identity(10, 2));
        served.revisions.remove(&identity(11, 5));
        served.add(&software(10, 1));
        served.add(&software(11, 3));
    });
    whole(&downstream, &upstream.url()).await;
    assert_eq!((newest(&downstream, id(10)), newest(&downstream, id(11))), (2, 5), "the newest stays the newest");
    assert!(downstream.stored().contains(&identity(11, 3)));
    downstream.app.state.live.republish().await.expect("publishes");
}
