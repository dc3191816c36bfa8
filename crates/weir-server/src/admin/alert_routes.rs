//! Routes of status messages, alerts, subscriptions and deliveries.

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    alert::{Alert, AlertCounts, AlertDetail, AlertMute, AlertNote, AlertQuery},
    list::ListQuery,
    message::{StatusMessage, StatusMessageMeaning, StatusMessageQuery},
    subscription::{
        Delivery, DeliveryQuery, Subscription, SubscriptionChange, SubscriptionCreate, SubscriptionCreated,
        SubscriptionTested,
    },
};

use super::{
    AdminError, App, Caller, alert,
    extract::{Body, Path, Query},
    message, subscription,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(messages_list))
        .routes(routes!(message_meanings))
        .routes(routes!(alerts_list))
        .routes(routes!(alert_counts))
        .routes(routes!(alert_evaluation))
        .routes(routes!(alerts_show))
        .routes(routes!(alerts_acknowledge))
        .routes(routes!(alerts_mute))
        .routes(routes!(alerts_unmute))
        .routes(routes!(alerts_close))
        .routes(routes!(subscriptions_list, subscriptions_create))
        .routes(routes!(subscriptions_show, subscriptions_change, subscriptions_delete))
        .routes(routes!(subscriptions_test))
        .routes(routes!(deliveries_list))
}

/// What happened at this site, newest first.
#[utoipa::path(get, path = "/messages", tag = "messages", params(StatusMessageQuery), responses((status = 200, body = List<StatusMessage>)))]
async fn messages_list(State(app): State<App>, Query(query): Query<StatusMessageQuery>) -> Answer<List<StatusMessage>> {
    message::list(&app, query).await.map(Json)
}

/// What the numbers of status messages mean.
#[utoipa::path(get, path = "/message-meanings", tag = "messages", responses((status = 200, body = List<StatusMessageMeaning>)))]
async fn message_meanings() -> Json<List<StatusMessageMeaning>> {
    Json(message::meanings())
}

/// Alerts, open ones first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(AlertQuery), responses((status = 200, body = List<Alert>)))]
async fn alerts_list(State(app): State<App>, Query(query): Query<AlertQuery>) -> Answer<List<Alert>> {
    alert::list(&app, query).await.map(Json)
}

/// How many alerts are open.
#[utoipa::path(get, path = "/alert-counts", tag = "alerts", responses((status = 200, body = AlertCounts)))]
async fn alert_counts(State(app): State<App>) -> Answer<AlertCounts> {
    alert::counts(&app).await.map(Json)
}

/// Looks at all conditions that alerts are about now, and answers how many are open then.
#[utoipa::path(post, path = "/alert-evaluation", tag = "alerts", responses((status = 200, body = AlertCounts)))]
async fn alert_evaluation(State(app): State<App>) -> Answer<AlertCounts> {
    alert::evaluate(&app).await.map(Json)
}

/// One alert with its history.
#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", params(("id" = i64, Path)), responses((status = 200, body = AlertDetail)))]
async fn alerts_show(State(app): State<App>, Path(id): Path<i64>) -> Answer<AlertDetail> {
    alert::show(&app, id).await.map(Json)
}

/// Says that an alert is known: it is not told again.
#[utoipa::path(post, path = "/alerts/{id}/acknowledge", tag = "alerts", params(("id" = i64, Path)), request_body = AlertNote, responses((status = 200, body = Alert)))]
async fn alerts_acknowledge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(note): Body<AlertNote>,
) -> Answer<Alert> {
    alert::acknowledge(&app, &caller, id, note).await.map(Json)
}

/// Lets nobody be told of an alert for a while.
#[utoipa::path(post, path = "/alerts/{id}/mute", tag = "alerts", params(("id" = i64, Path)), request_body = AlertMute, responses((status = 200, body = Alert)))]
async fn alerts_mute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(mute): Body<AlertMute>,
) -> Answer<Alert> {
    alert::mute(&app, &caller, id, mute).await.map(Json)
}

/// Lets people be told of an alert again.
#[utoipa::path(post, path = "/alerts/{id}/unmute", tag = "alerts", params(("id" = i64, Path)), request_body = AlertNote, responses((status = 200, body = Alert)))]
async fn alerts_unmute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(note): Body<AlertNote>,
) -> Answer<Alert> {
    alert::unmute(&app, &caller, id, note).await.map(Json)
}

/// Closes an alert that does not close by itself.
#[utoipa::path(post, path = "/alerts/{id}/close", tag = "alerts", params(("id" = i64, Path)), request_body = AlertNote, responses((status = 200, body = Alert)))]
async fn alerts_close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(note): Body<AlertNote>,
) -> Answer<Alert> {
    alert::close(&app, &caller, id, note).await.map(Json)
}

/// Who is told of alerts.
#[utoipa::path(get, path = "/subscriptions", tag = "subscriptions", params(ListQuery), responses((status = 200, body = List<Subscription>)))]
async fn subscriptions_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Subscription>> {
    subscription::list(&app, query).await.map(Json)
}

/// Makes a subscription.
#[utoipa::path(post, path = "/subscriptions", tag = "subscriptions", request_body = SubscriptionCreate, responses((status = 201, body = SubscriptionCreated)))]
async fn subscriptions_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<SubscriptionCreate>,
) -> Result<(StatusCode, Json<SubscriptionCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(subscription::create(&app, &caller, new).await?)))
}

/// One subscription; `{name}` is a name or an id.
#[utoipa::path(get, path = "/subscriptions/{name}", tag = "subscriptions", params(("name" = String, Path)), responses((status = 200, body = Subscription)))]
async fn subscriptions_show(State(app): State<App>, Path(name): Path<String>) -> Answer<Subscription> {
    subscription::show(&app, name).await.map(Json)
}

/// Changes a subscription.
#[utoipa::path(patch, path = "/subscriptions/{name}", tag = "subscriptions", params(("name" = String, Path)), request_body = SubscriptionChange, responses((status = 200, body = SubscriptionCreated)))]
async fn subscriptions_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<SubscriptionChange>,
) -> Answer<SubscriptionCreated> {
    subscription::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a subscription, with what waits for its receiver.
#[utoipa::path(delete, path = "/subscriptions/{name}", tag = "subscriptions", params(("name" = String, Path)), responses((status = 204)))]
async fn subscriptions_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    subscription::delete(&app, &caller, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message to the receiver of a subscription now, and says how that went.
#[utoipa::path(post, path = "/subscriptions/{name}/test", tag = "subscriptions", params(("name" = String, Path)), responses((status = 200, body = SubscriptionTested)))]
async fn subscriptions_test(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer<SubscriptionTested> {
    subscription::test(&app, &caller, name).await.map(Json)
}

/// Messages to subscribers, newest first.
#[utoipa::path(get, path = "/deliveries", tag = "subscriptions", params(DeliveryQuery), responses((status = 200, body = List<Delivery>)))]
async fn deliveries_list(State(app): State<App>, Query(query): Query<DeliveryQuery>) -> Answer<List<Delivery>> {
    subscription::deliveries(&app, query).await.map(Json)
}
