//! What the OpenAPI document says of every route alike: problems, tags, what lists can be had as.

use http::StatusCode;
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    path::Operation,
    schema::{ObjectBuilder, Type},
    tag::TagBuilder,
};
use weir_api::problem::MEDIA_TYPE;

use super::{csv, etag};

/// The name of the answer that every refusal has.
const PROBLEM: &str = "Problem";

/// What the routes of each tag are for.
const TAGS: &[(&str, &str)] = &[
    ("access", "Who may do what: users, sessions, tokens, roles, approvals."),
    ("alerts", "Conditions that somebody should know of, and what administrators do about them."),
    ("audit", "Who changed what, when, from where."),
    ("backups", "Copies of all that this server keeps, on its own disks."),
    ("bundles", "Signed bundles from sites without a network."),
    ("cleanup", "Declining what is superseded, and removing what nobody needs."),
    ("client settings", "How the agents of computers are to behave."),
    ("collections", "Sets of computers that deployments go to."),
    ("compliance", "Who needs what, always computed from intent and reports."),
    ("computers", "Who scans here, and how fresh that is."),
    ("content", "Files of updates."),
    ("criteria", "What synchronization leaves out or declines."),
    ("deployments", "Which update goes to which collection."),
    ("downstream", "Servers that synchronize from here."),
    ("events", "What changes while somebody looks."),
    ("exports", "The catalogue on its way to a site without a network."),
    ("exposure", "Vulnerabilities, who is exposed to them, and by when they must be fixed."),
    ("groups", "Sets of updates that are deployed together."),
    ("imports", "Update metadata from packages and files."),
    ("jobs", "Long work: how far it is and how it ended."),
    ("messages", "What happened at this site."),
    ("phased", "Deployments that go to one collection after another."),
    ("policy", "What computers need to be told to scan here."),
    ("reports", "Questions with numbers, and reports that are made by themselves."),
    ("rules", "Automatic deployment rules."),
    ("searches", "Finding things, and searches that have a name."),
    ("selection", "Products, classifications and languages."),
    ("settings", "Settings of this site."),
    ("sites", "The tree of sites."),
    ("status", "What runs here and how it is."),
    ("subscriptions", "Who is told of alerts."),
    ("sync", "Synchronization with the server above."),
    ("tls", "Certificates, and how computers come."),
    ("updates", "The catalogue."),
    ("windows", "When updates may install."),
];

/// Completes the document: after this every operation says what a refusal looks like.
pub(super) fn complete(document: &mut OpenApi) {
    let lists = csv::lists(document);
    let problem = ResponseBuilder::new()
        .description("The request was refused, or failed; `code` says why, `next_step` what to do.")
        .content(MEDIA_TYPE, Content::new(Some(Ref::from_schema_name(PROBLEM))))
        .build();
    let components = document.components.get_or_insert_default();
    components.responses.insert(PROBLEM.to_owned(), RefOr::T(problem));
    for (path, item) in &mut document.paths.paths {
        let versioned = etag::versioned(path).is_some();
        let list = lists.contains_key(path);
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for (at, operation) in operations.into_iter().enumerate() {
            if let Some(operation) = operation {
                let is_get = at == 0;
                describe(operation, is_get && list, is_get, versioned);
            }
        }
    }
    let known = TAGS.iter().map(|(name, meaning)| TagBuilder::new().name(*name).description(Some(*meaning)).build());
    document.tags = Some(known.collect());
}

fn describe(operation: &mut Operation, list: bool, is_get: bool, versioned: bool) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            let status = status.parse().ok().and_then(|code: u16| StatusCode::from_u16(code).ok());
            let reason = status.and_then(|status| status.canonical_reason());
            reason.unwrap_or("The answer").clone_into(&mut response.description);
        }
        if list && response.content.contains_key("application/json") {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            response.content.insert("text/csv".to_owned(), RefOr::T(Content::new(Some(text))));
        }
    }
    if is_get {
        responses.entry("304".to_owned()).or_insert_with(|| plain("The caller has it (`If-None-Match`)."));
    } else if versioned {
        responses.entry("412".to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(PROBLEM)));
    }
    responses.entry("default".to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(PROBLEM)));
}

fn plain(description: &str) -> RefOr<Response> {
    RefOr::T(ResponseBuilder::new().description(description).build())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_says_what_a_refusal_is_and_has_a_described_tag() {
        let document = super::super::openapi();
        let known: BTreeSet<String> = document.tags.iter().flatten().map(|tag| tag.name.clone()).collect();
        let mut used = BTreeSet::new();
        for (path, item) in &document.paths.paths {
            for operation in [&item.get, &item.put, &item.post, &item.delete, &item.patch].into_iter().flatten() {
                assert!(operation.responses.responses.contains_key("default"), "{path}");
                let tags = operation.tags.clone().unwrap_or_default();
                assert!(!tags.is_empty(), "{path} has no tag");
                used.extend(tags);
                for response in operation.responses.responses.values() {
                    if let RefOr::T(response) = response {
                        assert!(!response.description.is_empty(), "{path}");
                    }
                }
            }
        }
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "these tags are not described: {unknown:?}");
        let idle: Vec<_> = known.difference(&used).collect();
        assert!(idle.is_empty(), "no route has these tags: {idle:?}");
    }

    #[test]
    fn what_is_versioned_can_be_read_and_changed() {
        let document = super::super::openapi();
        for template in etag::templates() {
            let item = document.paths.paths.get(template).unwrap_or_else(|| panic!("{template} is no route"));
            assert!(item.get.is_some(), "{template} cannot be read");
            assert!(
                item.put.is_some() || item.patch.is_some() || item.delete.is_some(),
                "{template} cannot be changed"
            );
        }
    }
}
