//! The context of a request: who asks, where, in which language, zone and look.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use jiff::{Timestamp, tz::TimeZone};
use weir_api::access::{Role, Session};

use crate::{
    Console,
    address::Address,
    api::{Api, Outer},
    failure::Failure,
    flash::{self, Flash},
    texts::Words,
};

/// How the console looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Theme {
    /// As the system of the viewer says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What every page is made with. Handlers take it as their first argument; without a session they are not reached.
#[derive(Clone, Debug)]
pub(crate) struct Cx {
    /// The REST interface on behalf of the visitor.
    pub(crate) api: Api,
    /// Where the visitor is.
    pub(crate) address: Address,
    /// When the request came.
    pub(crate) now: Timestamp,
    /// The zone of the visitor; UTC until the browser told it.
    pub(crate) zone: TimeZone,
    /// How it looks.
    pub(crate) theme: Theme,
    /// Who is signed in; none on pages that need nobody, and where REST does not know of sessions.
    pub(crate) session: Option<Session>,
    /// What the page says about what was just done.
    pub(crate) flash: Option<Flash>,
    console: Console,
    words: Arc<Words>,
}

impl Cx {
    /// The context of somebody who need not be signed in.
    pub(crate) fn anonymous(console: &Console, uri: &http::Uri, outer: Outer) -> Self {
        let chosen = cookie(&outer.headers, "weir-language");
        let accepted = outer.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let words = console.catalogue().choose(chosen, accepted);
        let zone = cookie(&outer.headers, "weir-zone").map(|name| name.replace("%2F", "/"));
        let theme = match cookie(&outer.headers, "weir-theme") {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        Self {
            address: Address::of(uri),
            now: Timestamp::now(),
            zone: zone.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC),
            theme,
            session: None,
            flash: cookie(&outer.headers, flash::COOKIE).and_then(Flash::read),
            api: Api::new(console.api(), outer),
            console: console.clone(),
            words,
        }
    }

    /// What the console shares.
    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// The texts in the language of the visitor; `texts::AREA` has a function for each.
    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    /// Whether the visitor has this role or one above it: what it may not do is not offered. REST decides in the end.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.session.as_ref().is_none_or(|session| session.role >= role)
    }

    /// The server of the tree that lists are narrowed to by the selector in the top bar, for `server` of REST.
    pub(crate) fn server(&self) -> Option<String> {
        self.address.value("site").map(str::to_owned)
    }

    /// The short name of the language of titles, for `language` of REST; none is English.
    pub(crate) fn titles(&self) -> Option<String> {
        (self.words.tag != "en").then(|| self.words.tag.clone())
    }

    /// An address of a page, with the site that is selected.
    pub(crate) fn to(&self, path: impl Into<String>) -> Address {
        let address = Address::new(path);
        match self.address.value("site") {
            Some(site) => address.with("site", site),
            None => address,
        }
    }

    /// The same, as if the visitor were at another address.
    pub(crate) fn at(&self, address: Address) -> Self {
        Self { address, ..self.clone() }
    }

    async fn signed_in(mut self) -> Result<Self, Failure> {
        match self.api.get::<Session>("/session", &()).await {
            Ok(session) => self.session = Some(session),
            // a server without sessions: whoever reached this was let in outside
            Err(Failure::Refused(problem)) if problem.status == 404 => {}
            Err(failure) => return Err(failure),
        }
        Ok(self)
    }
}

impl FromRequestParts<Console> for Cx {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let Visitor(cx) = Visitor::from_request_parts(parts, console).await?;
        cx.signed_in().await
    }
}

/// The context of somebody who need not be signed in.
pub(crate) struct Visitor(pub(crate) Cx);

impl FromRequestParts<Console> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let outer = parts.extensions.get::<Outer>().cloned().unwrap_or_default();
        Ok(Self(Cx::anonymous(console, &parts.uri, outer)))
    }
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}
