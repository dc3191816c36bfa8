//! Synchronization.

use serde_json::json;

use super::{AT, HOSTILE, ID, asked, good, has, location, run, stub, sync};
use crate::tests::{problem, text};

const HERE: &str = "/infrastructure/synchronization";

#[tokio::test]
async fn a_failure_says_what_it_means_and_what_to_do() {
    let fault = json!({"code": "unreachable", "message": HOSTILE, "explanation": "The source does not answer.", "next_step": "Check the proxy."});
    let stub = stub().with("GET /sync", &sync("microsoft", None, None, Some(run("failed", Some(fault)))));
    let page = good(&stub, HERE).await;
    has(
        &page,
        &[
            "The source does not answer.",
            "Check the proxy.",
            "unreachable",
            "1,234",
            "Synchronize now",
            "/settings/products",
        ],
    );
    assert!(!page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn a_run_shows_its_phase_and_can_be_stopped() {
    let mut current = run("running", None);
    current["progress"] = json!({"phase": "updates", "done": 500, "total": 2000, "percent": 25, "per_second": 40, "seconds_left": 120, "bytes": 5_000_000});
    let stub = stub()
        .with("GET /sync", &sync("microsoft", None, Some(current), None))
        .with("DELETE /sync", &run("cancelled", None));
    let page = good(&stub, HERE).await;
    has(
        &page,
        &[
            "500 / 2,000",
            "40 a second",
            "2 minutes left",
            "5.0\u{a0}MB received",
            "aria-current=\"step\"",
            "Cancel this run",
        ],
    );
    assert!(!page.contains("Synchronize now"), "{page}");
    assert_eq!(location(&stub.form(&format!("{HERE}/cancel"), "").await), HERE);
}

#[tokio::test]
async fn starting_says_so_and_a_refusal_stays_on_the_page() {
    let stub = stub().with("POST /sync", &json!({"attached": false, "run": run("waiting", None)}));
    assert_eq!(location(&stub.form(&format!("{HERE}/start"), "full=1").await), HERE);
    assert_eq!(asked(&stub, "POST /sync"), ["POST /sync {\"full\":true}"]);
    let refused = problem(409, "no_source", "the source of this server is none");
    let page = text(stub.refusing("POST /sync", 409, refused).form(&format!("{HERE}/start"), "").await).await;
    has(&page, &["the source of this server is none", "role=\"alert\""]);
}

#[tokio::test]
async fn the_schedule_is_a_form_over_the_text_of_rest() {
    let stored = json!({"text": "monthly second tuesday +1 at 02:00 Europe/Amsterdam", "description": "On the day after", "zone": "UTC", "next": [AT]});
    let stub = stub().with("GET /sync/schedule", &stored).with("PUT /sync/schedule", &stored);
    let page = good(&stub, &format!("{HERE}?tab=settings")).await;
    has(
        &page,
        &[
            "value=\"month_weekday\" selected",
            "value=\"second\" selected",
            "value=\"Europe/Amsterdam\"",
            "On the day after",
            "2026-11-30 06:00",
        ],
    );
    let form = "s-repeat=days&s-every=7&s-at=02%3A00&s-zone=";
    assert_eq!(location(&stub.form(&format!("{HERE}/schedule"), form).await), format!("{HERE}?tab=settings"));
    assert_eq!(asked(&stub, "PUT"), ["PUT /sync/schedule {\"text\":\"every 7 days at 02:00\"}"]);
    let wrong = problem(400, "setting_value", "the number of days 9999 is not from 1 to 3660");
    let page = text(
        stub.refusing("PUT /sync/schedule", 400, wrong)
            .form(&format!("{HERE}/schedule"), "s-repeat=days&s-every=9999")
            .await,
    )
    .await;
    has(&page, &["id=\"e-s-repeat\"", "not from 1 to 3660", "value=\"9999\""]);
}

#[tokio::test]
async fn another_source_that_loses_decisions_is_confirmed() {
    let loses = problem(409, "loses", "it would take away what was decided here: 3 deployments");
    let stub = stub().refusing("PUT /settings/source", 409, loses);
    let page = text(stub.form(&format!("{HERE}/source"), "kind=url&url=http%3A%2F%2Fwsus%3A8530").await).await;
    has(
        &page,
        &["3 deployments", "name=\"sure\" value=\"1\"", "value=\"http://wsus:8530\"", "http://wsus:8530 and lose"],
    );
    let stub = stub.with("PUT /settings/source", &json!({"key": "source", "value": "http://wsus:8530"}));
    let response = stub.form(&format!("{HERE}/source"), "kind=url&url=http%3A%2F%2Fwsus%3A8530&sure=1").await;
    assert_eq!(location(&response), format!("{HERE}?tab=settings"));
    assert!(
        asked(&stub, "PUT").last().unwrap().ends_with("{\"value\":\"http://wsus:8530\",\"force\":true}"),
        "{:?}",
        stub.asked()
    );
    let page = text(stub.form(&format!("{HERE}/source"), "kind=url&url=").await).await;
    has(&page, &["id=\"e-url\""]);
}

#[tokio::test]
async fn below_another_site_its_source_and_schedule_are_only_shown() {
    let stub = stub().with("GET /sync", &sync("https://central:8531", Some("CENTRAL"), None, None));
    let page = good(&stub, &format!("{HERE}?tab=settings")).await;
    assert!(page.contains("decided at CENTRAL") && !page.contains("s-repeat") && !page.contains("/source\""), "{page}");
    has(&good(&stub, HERE).await, &["Tell the server above now"]);
}

#[tokio::test]
async fn nothing_to_synchronize_from_shows_both_ways() {
    let stub = stub().with("GET /sync", &sync("none", None, None, None));
    has(&good(&stub, HERE).await, &["No source is chosen", "?tab=settings", "href=\"/infrastructure/import\""]);
}

#[tokio::test]
async fn the_history_has_its_figures_as_a_grid_and_as_csv() {
    let page = good(&stub(), &format!("{HERE}?tab=history")).await;
    has(&page, &[&format!("{HERE}/runs/{ID}"), "1,234", "The schedule", "1 minute"]);
    let csv = good(&stub(), &format!("{HERE}?tab=history&format=csv&col=result&col=added&col=expired")).await;
    assert_eq!(csv, "\u{feff}Result,New,Expired\r\ndone,1234,6\r\n");
}

#[tokio::test]
async fn rules_show_what_they_would_do() {
    has(&good(&stub(), &format!("{HERE}?tab=criteria")).await, &[&format!("{HERE}/criteria/Itanium"), "Is not stored"]);
    has(&good(&stub(), &format!("{HERE}/criteria/Itanium")).await, &["17", "900", "4.0\u{a0}kB"]);
}
