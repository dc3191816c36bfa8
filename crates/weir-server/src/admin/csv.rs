//! Lists as CSV: every list of rows, with the filters that it takes, all of its rows.
//!
//! The pages of a list are asked for from inside, one after the other, and written as they come. Columns are the fields of its
//! rows as the OpenAPI document has them: fields that every row has in their own order, then the others by name. A cell of
//! something that is named is its name, cells of lists are joined with `; `, and counts of states get a column each.

use std::collections::{BTreeMap, HashMap};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::{OpenApi, RefOr, path::ParameterIn, schema::Schema};
use weir_model::report::csv::{defused, field};

use super::{AdminError, conventions::whole, inside::Inside, list};

/// Fields of an object that names something.
const NAMES: [&str; 3] = ["name", "title", "id"];
/// Levels of references between schemas; the bound only guards against circles.
const LEVELS: usize = 8;

/// A column: the way to its cell, from the row on.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Column {
    name: String,
    path: Vec<String>,
}

/// The columns of a list, and how it is paged.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_field_names, reason = "beside the columns there is what the list takes")]
pub(super) struct Columns {
    columns: Vec<Column>,
    limit: bool,
    cursor: bool,
}

/// The lists of the document that can be had as CSV, by route.
pub(super) fn lists(document: &OpenApi) -> HashMap<String, Columns> {
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    let Some(schemas) = schemas else { return HashMap::new() };
    // as JSON: one form for objects, references and what is put together
    let schemas: BTreeMap<String, Value> =
        schemas.iter().filter_map(|(name, schema)| Some((name.clone(), serde_json::to_value(schema).ok()?))).collect();
    let mut found = HashMap::new();
    for (path, item) in &document.paths.paths {
        let Some(operation) = &item.get else { continue };
        let parameters: Vec<&str> = operation
            .parameters
            .iter()
            .flatten()
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) if matches!(parameter.parameter_in, ParameterIn::Query) => {
                    Some(parameter.name.as_str())
                }
                _ => None,
            })
            .collect();
        // it has formats of its own
        if parameters.contains(&"format") {
            continue;
        }
        let Some(answer) = answer_schema(operation.responses.responses.get("200")) else { continue };
        let Ok(answer) = serde_json::to_value(answer) else { continue };
        let answer = fields(&schemas, &answer, 0);
        let Some(items) = answer.get("items").filter(|_| answer.contains_key("next")) else { continue };
        // a tree is no table
        let row = items.get("items").filter(|row| !fields(&schemas, row, 0).contains_key("children"));
        let Some(row) = row else { continue };
        let columns = columns(&schemas, row);
        if !columns.is_empty() {
            let (limit, cursor) = (parameters.contains(&"limit"), parameters.contains(&"cursor"));
            found.insert(path.clone(), Columns { columns, limit, cursor });
        }
    }
    found
}

fn answer_schema(response: Option<&RefOr<utoipa::openapi::Response>>) -> Option<&RefOr<Schema>> {
    let RefOr::T(response) = response? else { return None };
    let RefOr::T(content) = response.content.get("application/json")? else { return None };
    content.schema.as_ref()
}

/// A schema itself, behind references and "or null".
fn resolved<'s>(schemas: &'s BTreeMap<String, Value>, schema: &'s Value, level: usize) -> &'s Value {
    if level >= LEVELS {
        return schema;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return schemas.get(name).map_or(schema, |schema| resolved(schemas, schema, level + 1));
    }
    let either = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let other =
        either.and_then(|either| either.iter().find(|one| one.get("type").and_then(Value::as_str) != Some("null")));
    match (either.map(Vec::len), other) {
        (Some(2), Some(other)) => resolved(schemas, other, level + 1),
        _ => schema,
    }
}

/// The fields of an object by name, with those of what it is put together from.
fn fields(schemas: &BTreeMap<String, Value>, schema: &Value, level: usize) -> Map<String, Value> {
    let schema = resolved(schemas, schema, level);
    let mut all = Map::new();
    if level >= LEVELS {
        return all;
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        all.extend(fields(schemas, part, level + 1));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        all.extend(properties.clone());
    }
    all
}

/// Names of fields that are always there, in their own order.
fn required(schemas: &BTreeMap<String, Value>, schema: &Value, level: usize) -> Vec<String> {
    let schema = resolved(schemas, schema, level);
    if level >= LEVELS {
        return Vec::new();
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = parts.flat_map(|part| required(schemas, part, level + 1)).collect();
    let own = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.extend(own.filter_map(Value::as_str).map(str::to_owned));
    names
}

fn columns(schemas: &BTreeMap<String, Value>, row: &Value) -> Vec<Column> {
    let fields = fields(schemas, row, 0);
    let mut order = required(schemas, row, 0);
    order.extend(fields.keys().filter(|name| !order.contains(name)).cloned().collect::<Vec<_>>());
    let mut columns = Vec::new();
    for name in order {
        let Some(schema) = fields.get(&name).map(|schema| resolved(schemas, schema, 0)) else { continue };
        let inner = self::fields(schemas, schema, 0);
        let is_counts = !inner.is_empty() && inner.values().all(|field| is_number(resolved(schemas, field, 0)));
        if is_counts {
            for part in inner.keys() {
                columns.push(Column { name: format!("{name}.{part}"), path: vec![name.clone(), part.clone()] });
            }
        } else {
            columns.push(Column { path: vec![name.clone()], name });
        }
    }
    columns
}

fn is_number(schema: &Value) -> bool {
    matches!(schema.get("type").and_then(Value::as_str), Some("integer" | "number"))
}

/// Whether a request asks for CSV: `format=csv`, else `Accept` that names it before anything else.
pub(super) fn is_asked(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|part| part == "format=csv") {
        return true;
    }
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').next().and_then(|kind| kind.split(';').next()).is_some_and(|kind| kind.trim() == "text/csv")
}

/// One page of a list as it is asked for from inside.
#[derive(Debug, Default, Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// Where the list is.
struct Listing {
    inside: Inside,
    path: String,
    query: String,
    columns: Columns,
}

impl Listing {
    /// The address of a page.
    fn address(&self, cursor: Option<&str>) -> Result<Uri, AdminError> {
        let mut parts: Vec<String> = self.query.split('&').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if self.columns.limit {
            parts.push(format!("limit={}", list::LARGEST));
        }
        if let Some(cursor) = cursor {
            parts.push(format!("cursor={}", encoded(cursor)));
        }
        let text = if parts.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, parts.join("&")) };
        text.parse().map_err(|error| AdminError::Internal(format!("the address of a page: {error}")))
    }

    /// A page; the answer itself if it is a refusal.
    async fn page(&self, cursor: Option<&str>) -> Result<Page, Box<Response>> {
        let address = self.address(cursor).map_err(refused)?;
        let (parts, bytes) = whole(self.inside.get(&address).await).await?;
        if parts.status != StatusCode::OK {
            return Err(Box::new(Response::from_parts(parts, Body::from(bytes))));
        }
        serde_json::from_slice(&bytes)
            .map_err(|error| refused(AdminError::Internal(format!("a page of a list cannot be read: {error}"))))
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "it is the large half of a result")]
fn refused(error: AdminError) -> Box<Response> {
    Box::new(error.into_response())
}

/// A list as CSV.
pub(super) async fn answer(inside: Inside, address: &Uri, columns: Columns) -> Response {
    let query = address.query().unwrap_or_default().split('&');
    let query: Vec<&str> =
        query.filter(|part| *part != "format=csv" && !(columns.limit && part.starts_with("limit="))).collect();
    let listing = Listing { inside, path: address.path().to_owned(), query: query.join("&"), columns };
    // what is refused is refused before anything is sent
    let first = match listing.page(None).await {
        Ok(first) => first,
        Err(response) => return *response,
    };
    let mut head = String::new();
    for (at, column) in listing.columns.columns.iter().enumerate() {
        let _ = field(&mut head, at, &column.name);
    }
    head.push_str("\r\n");
    // a start cursor of the caller's is in the query already; the pages after it have their own
    let listing = Listing { query: without_cursor(&listing.query), ..listing };
    let rest = stream::unfold(Some((listing, first, head)), |state| async move {
        let (listing, page, mut text) = state?;
        let Page { items, next } = page;
        for item in &items {
            row(&mut text, &listing.columns.columns, item);
        }
        let piece = Ok::<Bytes, std::io::Error>(Bytes::from(text));
        let Some(next) = next.filter(|_| listing.columns.cursor) else { return Some((piece, None)) };
        match listing.page(Some(&next)).await {
            Ok(page) => Some((piece, Some((listing, page, String::new())))),
            Err(refusal) => {
                // the transfer breaks off, so that nobody takes a part for the whole
                let error = std::io::Error::other(format!("a page was answered with {}", refusal.status()));
                tracing::warn!(%error, "a list as CSV broke off");
                Some((Err(error), None))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(rest));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"list.csv\""));
    response
}

fn without_cursor(query: &str) -> String {
    query.split('&').filter(|part| !part.starts_with("cursor=")).collect::<Vec<_>>().join("&")
}

/// A text as a value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn row(out: &mut String, columns: &[Column], item: &Value) {
    for (at, column) in columns.iter().enumerate() {
        let value = column.path.iter().try_fold(item, |value, name| value.get(name));
        // writing into a text cannot fail
        let _ = match value {
            Some(value @ (Value::Number(_) | Value::Bool(_))) => field(out, at, &value.to_string()),
            value => field(out, at, &defused(&value.map(cell).unwrap_or_default())),
        };
    }
    out.push_str("\r\n");
}

/// A value in words.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => match NAMES.iter().find_map(|name| fields.get(*name)) {
            Some(name) => cell(name),
            None => value.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(columns: &Columns) -> Vec<&str> {
        columns.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn lists_of_the_document_have_columns() {
        let lists = lists(&super::super::openapi());
        let computers = lists.get("/computers").expect("a list");
        assert!(computers.limit && computers.cursor);
        let names = names(computers);
        assert_eq!(&names[..2], ["id", "name"]);
        for column in ["counts.required", "collections", "last_contact", "compliant"] {
            assert!(names.contains(&column), "{column} is not in {names:?}");
        }
        assert!(!lists.contains_key("/reports/{id}") && !lists.contains_key("/status"));
        assert!(lists.contains_key("/updates") && lists.contains_key("/audit"), "{:?}", lists.keys());
        // an object with another flattened into it has the fields of both
        let members = lists.get("/collections/{collection}/members").expect("a list");
        assert!(self::names(members).contains(&"why") && self::names(members).contains(&"address"));
    }

    #[test]
    fn cells_are_words() {
        let columns = ["id", "name", "collections", "counts.required", "server", "last"]
            .map(|name| Column { name: name.to_owned(), path: name.split('.').map(str::to_owned).collect() });
        let item = json!({
            "id": "=cmd()", "name": "a,\"b\"", "counts": { "required": 3 }, "server": null, "last": true,
            "collections": [{ "id": "1", "name": "Ring" }, { "id": "2", "name": "Pilot" }],
        });
        let mut out = String::new();
        row(&mut out, &columns, &item);
        assert_eq!(out, "'=cmd(),\"a,\"\"b\"\"\",Ring; Pilot,3,,true\r\n");
    }

    #[test]
    fn cursors_are_encoded() {
        assert_eq!(encoded("2026-12-01T00:00:00Z/a b"), "2026-12-01T00%3A00%3A00Z%2Fa%20b");
        assert_eq!(without_cursor("a=1&cursor=x&b=2"), "a=1&b=2");
    }

    #[test]
    fn csv_is_asked_for_in_two_ways() {
        let asked = |query: &str, accept: Option<&str>| {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = format!("/api/v1/computers{query}").parse().expect("an address");
            if let Some(accept) = accept {
                request.headers_mut().insert(header::ACCEPT, HeaderValue::from_str(accept).expect("a value"));
            }
            is_asked(&request)
        };
        assert!(asked("?format=csv", None) && asked("?limit=1&format=csv", Some("application/json")));
        assert!(asked("", Some("text/csv; q=1, */*")));
        assert!(!asked("", Some("*/*")) && !asked("", None) && !asked("?format=json", None));
    }
}
