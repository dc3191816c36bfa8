//! The console behind the door: its pages for whoever proves who they are, its sign-in page for everybody else.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    extract::State,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, Request, header};
use weir_api::PREFIX;

use super::{
    AdminError, App,
    access::session,
    auth::{self, COOKIE},
    page, rest,
};
use crate::state::Connection;

/// Languages that are taken from files.
const MOST_LANGUAGES: usize = 50;
/// Bytes of a file with texts.
const LARGEST_TEXTS: u64 = 1 << 20;

/// All addresses that are not of the REST interface.
pub(super) fn pages(app: &App) -> Router {
    let options = weir_console::Options {
        version: env!("CARGO_PKG_VERSION"),
        languages: languages(&app.process.data.join("languages")),
    };
    weir_console::router(rest(app), options).layer(middleware::from_fn_with_state(app.clone(), enter))
}

/// Texts of further languages: the files `TAG.toml` of a folder, which need not be there.
fn languages(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(String, String)> = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()).take(MOST_LANGUAGES) {
        let tag = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        let is_texts = path.extension().is_some_and(|extension| extension == "toml");
        let fits = std::fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST_TEXTS);
        if !is_texts || tag.is_empty() {
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(texts) if fits => found.push((tag, texts)),
            Ok(_) => tracing::warn!(file = %path.display(), "a file of texts is too large and is left out"),
            Err(error) => tracing::warn!(file = %path.display(), %error, "a file of texts cannot be read"),
        }
    }
    found.sort();
    found
}

/// Puts the caller into the extensions, if there is one. Without one the console shows its sign-in page.
async fn enter(State(app): State<App>, mut request: Request<Body>, next: Next) -> Result<Response, AdminError> {
    let path = request.uri().path();
    if path == PREFIX || path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/')) {
        return Err(super::routes::no_page(request.uri()));
    }
    if path.starts_with("/assets/") {
        return Ok(next.run(request).await);
    }
    let connection = request.extensions().get::<Connection>().copied();
    let by_link = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("code=")));
    if path == "/sign-in" && by_link && matches!(*request.method(), Method::GET | Method::HEAD) {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        return page::sign_in(&app, &method, &uri, connection).await;
    }
    let Some((caller, renewed)) = auth::prove(&app, request.method(), request.headers(), connection).await? else {
        // also a form of the sign-in page is sent from this server's own pages alone
        session::refuse_foreign(request.method(), request.headers(), false)?;
        return Ok(next.run(request).await);
    };
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Some(cookie) = renewed.filter(|_| !sets_session(response.headers())) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response.into_response())
}

/// Whether an answer ends the session or begins another.
fn sets_session(headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(header::SET_COOKIE);
    cookies
        .iter()
        .any(|cookie| cookie.as_bytes().strip_prefix(COOKIE.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_files_of_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(languages(&folder.path().join("none")).is_empty());
        std::fs::write(folder.path().join("de.toml"), "[common]").expect("written");
        std::fs::write(folder.path().join("note.txt"), "no texts").expect("written");
        assert_eq!(languages(folder.path()), [("de".to_owned(), "[common]".to_owned())]);
    }

    #[test]
    fn other_cookies_do_not_end_a_session() {
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, "weir-flash=1; Path=/".parse().expect("a value"));
        assert!(!sets_session(&headers));
        headers.append(header::SET_COOKIE, "__Host-weir=; Max-Age=0".parse().expect("a value"));
        assert!(sets_session(&headers));
    }
}
