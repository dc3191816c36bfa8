//! Routes of reports, their schedules, and the bulk export of compliance.

use axum::{
    Json,
    body::Body as Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    report::{
        ComplianceExportQuery, ROWS_HEADER, Report, ReportQuery, ReportResult, ReportSchedule, ReportScheduleChange,
        ReportScheduleCreate, TOTAL_HEADER,
    },
};
use weir_model::report::{Format, html};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    report::{self, export, schedule},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reports_list))
        .routes(routes!(reports_run))
        .routes(routes!(report_schedules_list, report_schedules_create))
        .routes(routes!(report_schedules_show, report_schedules_change, report_schedules_delete))
        .routes(routes!(report_schedules_run))
        .routes(routes!(compliance_export))
}

/// What can be asked, by group and number.
#[utoipa::path(get, path = "/reports", tag = "reports", responses((status = 200, body = List<Report>)))]
async fn reports_list() -> Json<List<Report>> {
    Json(report::list())
}

/// Runs a report, by id or by number such as `A1`. Its own parameters (`GET /reports` lists them) are query parameters, too. CSV, HTML and text come with how many
/// rows they have and how many there are in the headers `weir-report-rows` and `weir-report-total`.
#[utoipa::path(
    get, path = "/reports/{id}", tag = "reports", params(("id" = String, Path), ReportQuery),
    responses((
        status = 200,
        content((ReportResult = "application/json"), (String = "text/csv"), (String = "text/html"), (String = "text/plain"))
    ))
)]
async fn reports_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    let (mut given, mut asked, mut limit) = (Vec::new(), None, None);
    for (name, value) in query {
        match name.as_str() {
            "format" => asked = Some(report::format(&value)?),
            "limit" => {
                let wrong = |_| AdminError::invalid("limit", format!("limit is {value:?}; it must be a whole number"));
                limit = Some(value.parse::<u32>().map_err(wrong)?);
            }
            _ => given.push((name, value)),
        }
    }
    let format = asked.unwrap_or_else(|| accepted(&headers));
    let table = report::run(&app, caller.grant.scope, &id, &given, limit).await?;
    if format == Format::Json {
        return Ok(Json(report::result(&table)?).into_response());
    }
    let text = report::written(&table, format)?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()));
    headers.insert(ROWS_HEADER, HeaderValue::from(table.rows.len()));
    headers.insert(TOTAL_HEADER, HeaderValue::from(table.total));
    if format == Format::Html {
        // the page has its style in itself, and nothing else may apply
        let style = STANDARD.encode(Sha256::digest(html::STYLE));
        let policy = format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'");
        let policy = HeaderValue::try_from(policy).map_err(|error| AdminError::Internal(error.to_string()))?;
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// What `Accept` asks for: the first that is known, else JSON.
fn accepted(headers: &HeaderMap) -> Format {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kinds = accept.split(',').filter_map(|kind| kind.split(';').next());
    let mut known = kinds.filter_map(|kind| match kind.trim().to_ascii_lowercase().as_str() {
        "application/json" | "*/*" => Some(Format::Json),
        "text/csv" => Some(Format::Csv),
        "text/html" => Some(Format::Html),
        "text/plain" => Some(Format::Text),
        _ => None,
    });
    known.next().unwrap_or(Format::Json)
}

/// Reports that are made by themselves, by name.
#[utoipa::path(get, path = "/report-schedules", tag = "reports", params(ListQuery), responses((status = 200, body = List<ReportSchedule>)))]
async fn report_schedules_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<ReportSchedule>> {
    schedule::list(&app, query).await.map(Json)
}

/// Has a report made by itself.
#[utoipa::path(post, path = "/report-schedules", tag = "reports", request_body = ReportScheduleCreate, responses((status = 201, body = ReportSchedule)))]
async fn report_schedules_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<ReportScheduleCreate>,
) -> Result<(StatusCode, Json<ReportSchedule>), AdminError> {
    Ok((StatusCode::CREATED, Json(schedule::create(&app, &caller, new).await?)))
}

/// One schedule, by name or id.
#[utoipa::path(get, path = "/report-schedules/{id}", tag = "reports", params(("id" = String, Path)), responses((status = 200, body = ReportSchedule)))]
async fn report_schedules_show(State(app): State<App>, Path(id): Path<String>) -> Answer<ReportSchedule> {
    schedule::show(&app, id).await.map(Json)
}

/// Changes a schedule.
#[utoipa::path(patch, path = "/report-schedules/{id}", tag = "reports", params(("id" = String, Path)), request_body = ReportScheduleChange, responses((status = 200, body = ReportSchedule)))]
async fn report_schedules_change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<ReportScheduleChange>,
) -> Answer<ReportSchedule> {
    schedule::change(&app, &caller, id, change).await.map(Json)
}

/// Deletes a schedule. Files that it wrote stay.
#[utoipa::path(delete, path = "/report-schedules/{id}", tag = "reports", params(("id" = String, Path)), responses((status = 204)))]
async fn report_schedules_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, AdminError> {
    schedule::delete(&app, &caller, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Makes and delivers the report of a schedule now; the answer says how that went.
#[utoipa::path(post, path = "/report-schedules/{id}/run", tag = "reports", params(("id" = String, Path)), responses((status = 200, body = ReportSchedule)))]
async fn report_schedules_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<ReportSchedule> {
    schedule::run(&app, &caller, id).await.map(Json)
}

/// Compliance for other tools: everything that computers listed, one row for each computer and update; with `states=all` also what
/// is unknown or does not apply; with `rows=computers` one row for each computer, with its states counted.
#[utoipa::path(
    get, path = "/compliance/export", tag = "compliance", params(ComplianceExportQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.apache.parquet"))
)]
async fn compliance_export(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ComplianceExportQuery>,
) -> Result<Response, AdminError> {
    let file = export::compliance(&app, caller.grant.scope, query).await?;
    let length = file.bytes;
    let mut response = Response::new(Bytes::from_stream(file.stream()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.apache.parquet"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"compliance.parquet\""));
    Ok(response)
}
