//! Acts that a second person approves, and people who have to change their password first.

use axum::{Router, response::IntoResponse as _};
use http::{Method, Request};
use tower::ServiceExt as _;

use super::*;
use crate::{
    Options,
    tests::{problem, text},
};

/// A console over a REST interface that lets every change wait.
async fn waiting(request: Request<Body>) -> Response<Body> {
    let answer = |request: Request<Body>| async move {
        let who = session("software_update_manager").to_string();
        match (request.method(), request.uri().path().trim_start_matches(weir_api::PREFIX)) {
            (&Method::GET, "/session") => who.into_response(),
            (&Method::GET, "/settings") => settings().to_string().into_response(),
            (&Method::GET, _) => (StatusCode::NOT_FOUND, problem(404, "not_found", "no").to_string()).into_response(),
            _ => {
                let held = approval("waiting", "anna", "set the source to \"microsoft\"").to_string();
                (StatusCode::ACCEPTED, [("weir-approval", "5")], held).into_response()
            }
        }
    };
    let options = Options { version: "0.0.0", ..Options::default() };
    crate::router(Router::new().fallback(answer), options).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_request_that_waits_leads_to_it() {
    let media = "application/x-www-form-urlencoded";
    let request = Request::post("/settings/site").header(header::CONTENT_TYPE, media);
    let form = "from=%2Fsettings%2Fsite&was:source=none&source=microsoft";
    let response = waiting(request.body(Body::from(form)).unwrap()).await;
    assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/settings/approvals/5"));
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::get("/help").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    has(&text(waiting(request).await).await, &["request 5 waits for a second person"]);
}

#[tokio::test]
async fn a_second_person_decides_and_the_first_does_not() {
    let mut done = approval("done", "bob", "deploy to All");
    done["decided_by"] = json!("anna");
    let stub = full("x")
        .with("GET /approvals/5", &approval("waiting", "bob", "deploy to All"))
        .with("POST /approvals/5/approve", &done);
    let page = good(&stub, "/settings/approvals/5").await;
    has(
        &page,
        &[
            "deploy to All",
            "action=\"/settings/approvals/5/approve\"",
            "formaction=\"/settings/approvals/5/reject\"",
            "/deployments",
        ],
    );
    let page = text(stub.form("/settings/approvals/5/approve", "note=agreed").await).await;
    has(&page, &["will be done now", "name=\"note\" value=\"agreed\"", "name=\"sure\""]);
    assert!(asked(&stub, "POST ").is_empty());
    let response = stub.form("/settings/approvals/5/approve", "note=agreed&sure=1").await;
    assert_eq!(location(&response), "/settings/approvals/5");
    assert!(asked(&stub, "POST ").remove(0).contains("agreed"));
    let own = full("x").with("GET /approvals/5", &approval("waiting", "user:anna", "deploy to All"));
    let page = good(&own, "/settings/approvals/5").await;
    has(&page, &["You asked for this."]);
    lacks(&page, &["/settings/approvals/5/approve"]);
    let unseen = Stub::new().refusing("GET /approvals/5", 403, problem(403, "forbidden", "limited to collections"));
    let page = good(&unseen, "/settings/approvals/5").await;
    has(&page, &["Request 5 is stored and waits for a second person"]);
}

#[tokio::test]
async fn who_has_to_change_the_password_is_led_there() {
    let must = problem(403, "password_change", "anna has to choose another password first");
    let stub = Stub::new().refusing("GET /status", 403, must.clone()).refusing("GET /settings", 403, must);
    let response = stub.send(Request::get("/settings/site?tab=alerts").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let there = location(&response).to_owned();
    assert_eq!(there, "/settings/access/password?to=%2Fsettings%2Fsite%3Ftab%3Dalerts");
    let page = good(&stub, &there).await;
    has(
        &page,
        &[
            "before anything else",
            "name=\"to\" value=\"/settings/site?tab=alerts\"",
            "autocomplete=\"current-password\"",
        ],
    );
}

#[tokio::test]
async fn guides_are_shown_without_html_of_their_own() {
    let stub = full("x");
    let page = good(&stub, "/help").await;
    has(&page, &["Guides", "href=\"/help/operations\""]);
    let page = good(&stub, "/help/operations").await;
    has(
        &page,
        &[
            "<title>Operations · Weir</title>",
            "class=\"contents\"",
            "href=\"#synchronization\"",
            "<h2 id=\"synchronization\">",
            "data-copy=\"weir ",
        ],
    );
    lacks(&page, &[" style=", ".md\"", "<h1>Operations</h1><h1"]);
    good(&stub, "/help/project/changelog").await;
    assert_eq!(stub.page("/help/nothing").await.0, StatusCode::NOT_FOUND);
    let page = good(&stub, "/help?text=%3Cscript%3Ebackup").await;
    lacks(&page, &["<script>backup"]);
    let page = good(&stub, "/help?text=synchronization").await;
    has(&page, &["href=\"/help/operations#synchronization\""]);
    let page = good(&stub, "/settings/policy/values").await;
    has(&page, &["href=\"/help/administration#windows-policy\""]);
}
