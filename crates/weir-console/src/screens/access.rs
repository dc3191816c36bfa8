//! Signing in and out, and what a visitor prefers.

use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{Problem, access::SessionCreate};

use crate::{
    Console,
    address::local,
    cx::{Cx, Visitor},
    failure::Failure,
    flash::see,
    layout::Page,
    texts::top as t,
    ui::{
        form::{Errors, Field},
        icon::Icon,
    },
};

/// Pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/preferences", post(prefer))
}

/// What `GET sign-in-methods` answers, as far as this page shows it. A server without it signs in with a password only.
#[derive(Clone, Debug, Default, Deserialize)]
struct Methods {
    #[serde(default)]
    oidc: Option<Provider>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Provider {
    Name(String),
    Named { name: String },
}

async fn show(Visitor(cx): Visitor) -> Result<Response, Failure> {
    form(&cx, "", &Errors::default(), cx.address.value("to")).await
}

async fn form(cx: &Cx, name: &str, errors: &Errors, to: Option<&str>) -> Result<Response, Failure> {
    let methods: Methods = cx.api.get("/sign-in-methods", &()).await.unwrap_or_default();
    let provider = methods.oidc.map(|provider| match provider {
        Provider::Name(name) | Provider::Named { name } => name,
    });
    let to = local(to);
    let body = html! {
        div.sign-in.panel {
            (errors.summary(cx))
            form method="post" action="/sign-in" {
                input type="hidden" name="to" value=(to);
                (autocompleted(&Field::new("name", t::user_name(cx), errors).required().input("text", name), "username"))
                (autocompleted(&Field::new("password", t::password(cx), errors).required().input("password", ""), "current-password"))
                div.buttons { button.primary type="submit" { (t::sign_in(cx)) } }
            }
            @if let Some(provider) = provider {
                p.or { span { (t::or(cx)) } }
                p { a.button href=(crate::address::Address::new("/sign-in/oidc").with("to", &to)) { (Icon::Person.show()) (t::sign_in_with(cx, provider)) } }
            }
            details {
                summary { (t::no_account(cx)) }
                p { (t::sign_in_link(cx)) }
                (crate::ui::command(cx, "weir admin sign-in"))
            }
        }
    };
    Page::new(cx, t::sign_in(cx)).bare().body(body).render().await
}

/// Tells password managers what a field is.
fn autocompleted(field: &Markup, kind: &str) -> Markup {
    maud::PreEscaped(field.0.replacen("<input ", &format!("<input autocomplete=\"{kind}\" "), 1))
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    to: Option<String>,
}

async fn sign_in(Visitor(cx): Visitor, Form(sent): Form<SignIn>) -> Result<Response, Failure> {
    let create = SessionCreate { name: sent.name.trim().to_owned(), password: sent.password };
    let answer = match cx.api.post_for("/session", &create).await {
        Ok(answer) => answer,
        Err(failure) => {
            // one sentence for a wrong name and a wrong password; what REST says of anything else
            let errors = match &failure {
                Failure::SignIn => Errors::default().field("password", t::wrong_password(&cx)),
                Failure::Refused(problem) => Errors::of(problem, &[]),
                _ => return Err(failure),
            };
            let mut page = form(&cx, &create.name, &errors, sent.to.as_deref()).await?;
            *page.status_mut() = match failure.status() {
                StatusCode::TOO_MANY_REQUESTS => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNAUTHORIZED,
            };
            return Ok(page);
        }
    };
    let mut response = see(local(sent.to.as_deref()));
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

/// Ends the session. The cookie goes whatever REST says: a session that is over already is no fault.
async fn sign_out(Visitor(cx): Visitor) -> Result<Response, Failure> {
    let request = http::Request::delete(format!("{}/session", weir_api::PREFIX)).body(axum::body::Body::empty());
    let request = request.map_err(|error| Failure::internal("/session", &error))?;
    let ended = cx.api.send(request).await;
    let status = ended.status();
    if !status.is_success() && status != StatusCode::UNAUTHORIZED && status != StatusCode::NOT_FOUND {
        let detail = status.to_string();
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        let problem = Problem { status: status.as_u16(), code: "sign_out".to_owned(), title, detail, next_step: None };
        return Err(Failure::refused(problem));
    }
    let mut response = see("/sign-in");
    for cookie in ended.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

#[derive(Deserialize)]
struct Preferences {
    language: Option<String>,
    theme: Option<String>,
    to: Option<String>,
}

/// Keeps language and look in cookies of the browser. Readable to the module, which changes the look without a round trip.
async fn prefer(State(console): State<Console>, Form(sent): Form<Preferences>) -> Response {
    let known = |tag: &String| console.catalogue().languages().iter().any(|words| words.tag == *tag);
    let themes = ["system", "light", "dark"];
    let language = sent.language.filter(known).map(|tag| ("weir-language", tag));
    let theme = sent.theme.filter(|theme| themes.contains(&theme.as_str())).map(|theme| ("weir-theme", theme));
    let mut response = see(local(sent.to.as_deref())).into_response();
    for (name, value) in language.into_iter().chain(theme) {
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; Secure; SameSite=Strict");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}
