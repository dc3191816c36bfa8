//! What each role may do, route by route.

use std::{collections::BTreeSet, fmt::Write as _};

use reqwest::Method;
use serde_json::json;
use weir_model::rights::{Reach, Role, allows};
use weir_server::admin::{RULES, Rule};

use crate::harness::Server;

fn name(rule: &Rule) -> String {
    format!("{} {}", rule.method, rule.path)
}

/// The table for people: a line for each route, a letter for each role that may use it, and whom it concerns.
fn matrix() -> String {
    let mut text = String::from("A analyst, O operator, M software update manager, F full administrator\n\n");
    for rule in RULES {
        let may = |role: Role, letter: char| match rule.permission {
            Some(permission) if allows(role, permission) => letter,
            Some(_) => '-',
            None => '*',
        };
        let roles: String =
            Role::ALL.iter().zip(['A', 'O', 'M', 'F']).map(|(role, letter)| may(*role, letter)).collect();
        let reach = match rule.reach {
            Reach::Nobody => "",
            Reach::Scoped => "within the scope",
            Reach::Site => "whole site only",
        };
        let line = format!("{roles}  {:6} {:52} {reach}", rule.method, rule.path);
        writeln!(text, "{}", line.trim_end()).expect("a text takes it");
    }
    text
}

#[test]
fn the_table_has_every_route_and_no_other() {
    let document = serde_json::to_value(weir_server::admin::openapi()).expect("document");
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys().filter(|key| key.as_str() != "parameters");
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let ruled: BTreeSet<String> = RULES.iter().map(name).collect();
    assert_eq!(ruled.len(), RULES.len(), "each route once");
    assert_eq!(described.difference(&ruled).collect::<Vec<_>>(), Vec::<&String>::new(), "routes without a rule");
    assert_eq!(ruled.difference(&described).collect::<Vec<_>>(), Vec::<&String>::new(), "rules without a route");
    let open: Vec<String> = RULES.iter().filter(|rule| rule.permission.is_none()).map(name).collect();
    assert_eq!(open, ["POST /session", "GET /sign-in-methods"], "the routes that need no proof of who asks");
    for rule in RULES.iter().filter(|rule| rule.method != "GET") {
        let reads = ["/policy/render", "/policy/check", "/selection-preview", "/criteria-preview"];
        let previews =
            rule.path.ends_with("preview") || rule.path.ends_with("simulation") || reads.contains(&rule.path);
        let own = rule.path.starts_with("/session") || rule.path.starts_with("/tokens");
        let analyst = rule.permission.is_some_and(|permission| allows(Role::ReadOnlyAnalyst, permission));
        assert!(!analyst || previews || own, "an analyst changes nothing: {}", name(rule));
    }
    insta::assert_snapshot!("matrix", matrix());
}

/// A token of a role; limited to a collection if one is named.
async fn token(server: &Server, role: Role, collection: Option<&str>) -> String {
    let name = format!("{} {}", role.word(), collection.unwrap_or("everywhere"));
    let body = json!({
        "name": name, "role": role.word().replace('-', "_"), "collections": collection.into_iter().collect::<Vec<_>>(),
    });
    let made = server.post("tokens", body).await.ok();
    made["secret"].as_str().expect("a secret").to_owned()
}

/// Routes that let people in, which no token may use.
const LETS_IN: [&str; 7] = [
    "DELETE /group-mappings/{group}",
    "DELETE /users/{name}/certificates/{fingerprint}",
    "POST /sign-in-links",
    "POST /users",
    "POST /users/{name}/certificates",
    "PUT /group-mappings/{group}",
    "PUT /users/{name}/password",
];

/// An address that fits a template and names nothing.
fn address(rule: &Rule) -> String {
    let parts = rule.path.split('/').skip(1).map(|part| match part {
        "{id}" | "{no}" | "{number}" => "4242",
        part if part.starts_with('{') => "nothing-of-that-name",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn each_role_gets_what_the_table_says_and_nothing_else() {
    let server = Server::start().await;
    server.post("collections", json!({ "name": "Ring" })).await.ok();
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((role, false, token(&server, role, None).await));
        callers.push((role, true, token(&server, role, Some("Ring")).await));
    }
    let mut refused = 0;
    for rule in RULES {
        let Some(permission) = rule.permission else { continue };
        // an answer that has no end; everybody may follow it
        if rule.path == "/events" {
            continue;
        }
        let method: Method = rule.method.parse().expect("a method");
        for (role, limited, secret) in &callers {
            let body = (method != Method::GET).then(|| json!({}));
            let answer = server.call_as(secret, method.clone(), &address(rule), body).await;
            let what = format!("{} as {} {limited}: {}", name(rule), role.word(), answer.body);
            let may = allows(*role, permission);
            let site = !*limited || rule.reach != Reach::Site;
            if may && site && LETS_IN.contains(&name(rule).as_str()) {
                // allowed to the role, but not to a program with a token; what is wrong with the body may be said before
                assert!(matches!(answer.status.as_u16(), 400 | 403), "{what}");
                if answer.status == 403 {
                    assert_eq!(answer.refused(403), "forbidden", "{what}");
                    assert!(answer.body["detail"].as_str().is_some_and(|text| text.contains("admin.token")), "{what}");
                }
                continue;
            }
            if may && site {
                assert!(answer.status != 401 && answer.status != 403, "{what}");
                assert_ne!(answer.status, 405, "{what}");
                continue;
            }
            refused += 1;
            assert_eq!(answer.refused(403), "forbidden", "{what}");
            let detail = answer.body["detail"].as_str().expect("detail");
            assert!(detail.contains(permission.role().word()), "it says which role could: {what}");
        }
    }
    assert!(refused > 500, "{refused}");
    // the site's own figures, and what describes the interface
    for (role, limited, secret) in &callers {
        let metrics = server.http.get(server.admin("/metrics")).bearer_auth(secret).send().await.expect("answer");
        assert_eq!(metrics.status(), if *limited { 403 } else { 200 }, "{}", role.word());
    }
    server.stop().await;
}

#[tokio::test]
async fn head_is_held_to_the_rule_of_get() {
    let server = Server::start().await;
    let analyst = token(&server, Role::ReadOnlyAnalyst, None).await;
    let ring = server.post("collections", json!({ "name": "Ring" })).await.ok();
    assert!(ring["id"].is_string());
    let limited = token(&server, Role::FullAdministrator, Some("Ring")).await;
    let head = |secret: &str, path: &str| {
        server.http.head(server.admin(&format!("/api/v1/{path}"))).bearer_auth(secret).send()
    };
    assert_eq!(head(&analyst, "audit").await.expect("answer").status(), 200);
    assert_eq!(head(&limited, "audit").await.expect("answer").status(), 403);
    server.stop().await;
}
