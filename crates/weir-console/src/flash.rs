//! What the next page says about what was just done: the name of a text with its arguments, in a cookie that is read once. No
//! HTML travels, and a name that is not among the texts says nothing.

use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::{address::Address, texts::Words};

/// Its cookie.
pub(crate) const COOKIE: &str = "weir-flash";
/// Longer ones are not believed.
const LONGEST: usize = 1500;

/// A message for the next page. `texts::AREA::flash_*` make them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Flash {
    key: String,
    arguments: Vec<(String, String)>,
}

impl Flash {
    /// The text of this name.
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned(), arguments: Vec::new() }
    }

    /// With an argument.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        let value: String = value.to_string().chars().take(200).collect();
        self.arguments.push((name.to_owned(), value));
        self
    }

    /// Goes to a page (303) that says it.
    pub(crate) fn to(self, address: impl Display) -> Response {
        let mut response = see(address);
        let mut pairs = vec![("_".to_owned(), self.key)];
        pairs.extend(self.arguments);
        let value = serde_urlencoded::to_string(pairs).unwrap_or_default();
        let cookie = format!("{COOKIE}={value}; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict");
        if let (true, Ok(cookie)) = (value.len() <= LONGEST, HeaderValue::from_str(&cookie)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Reads the value of the cookie.
    pub(crate) fn read(value: &str) -> Option<Self> {
        let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(value).ok()?;
        if pairs.is_empty() || value.len() > LONGEST {
            return None;
        }
        let (name, key) = pairs.remove(0);
        (name == "_" && key.contains(".flash.")).then_some(Self { key, arguments: pairs })
    }

    /// What it says.
    pub(crate) fn say(&self, words: &Words) -> Option<String> {
        let arguments: Vec<(&str, &dyn Display)> =
            self.arguments.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
        words.find(&self.key, &arguments)
    }
}

/// Goes to a page (303): what every form is answered with.
pub(crate) fn see(address: impl Display) -> Response {
    let address = address.to_string();
    let location = HeaderValue::from_str(&address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Goes to an address (303).
pub(crate) fn go(address: &Address) -> Response {
    see(address)
}
