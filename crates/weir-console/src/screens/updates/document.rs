//! The document of an update as its publisher made it.

use axum::{body::Body, response::Response};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use maud::{Markup, html};
use weir_api::{PREFIX, Problem};

use crate::{address::path, cx::Cx, failure::Failure, texts::updates as t, ui};

/// Bytes that are shown; the whole can be saved.
const SHOWN: usize = 512 << 10;

/// The tab.
pub(super) async fn show(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let address = format!("{PREFIX}{}", path(&["updates", id, "document"]));
    let request = Request::get(&address).body(Body::empty()).map_err(|error| Failure::internal(&address, &error))?;
    let answer = cx.api.send(request).await;
    let status = answer.status();
    let (bytes, cut) = beginning(&address, answer).await?;
    if status == StatusCode::NOT_FOUND {
        return Ok(html! { section.panel { p { (t::document_none(cx)) } } });
    }
    if !status.is_success() {
        let problem = serde_json::from_slice::<Problem>(&bytes).map_err(|error| Failure::internal(&address, &error))?;
        return Err(Failure::refused(problem));
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(html! {
        section.panel {
            p {
                a.button href=(address) download { (ui::icon::Icon::Download.show()) (t::document_save(cx)) }
            }
            p.quiet { (t::document_help(cx)) @if cut { " " (t::document_cut(cx, ui::bytes(cx, SHOWN as u64))) } }
            pre.source tabindex="0" role="region" aria-label=(t::tab_document(cx)) { (broken(&text)) }
        }
    })
}

/// The first bytes of an answer, and whether there are more.
async fn beginning(address: &str, answer: Response) -> Result<(Vec<u8>, bool), Failure> {
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::internal(address, &error))?;
        bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
        if bytes.len() > SHOWN {
            bytes.truncate(SHOWN);
            return Ok((bytes, true));
        }
    }
    Ok((bytes, false))
}

/// With line breaks between elements where the document has hardly any.
fn broken(text: &str) -> String {
    if text.lines().count() > text.len() / 2000 + 1 { text.to_owned() } else { text.replace("><", ">\n<") }
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn a_document_of_one_line_is_broken_and_others_stay() {
        assert_eq!(broken("<a><b/></a>"), "<a>\n<b/>\n</a>");
        assert_eq!(broken("<a>\n  <b/><c/>\n</a>"), "<a>\n  <b/><c/>\n</a>");
    }
}
