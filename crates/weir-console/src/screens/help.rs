//! Help: the guides, keys, and what runs here.

mod guides;
mod render;

use axum::{Router, response::Response, routing::get};
use maud::{Markup, html};
use weir_api::status::Status;

use crate::{Console, cx::Cx, failure::Failure, layout::Page, nav::Area, texts::top as t, ui};

/// Pages.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/help", get(show)).route("/help/{*name}", get(guides::show)).route("/about", get(about_server))
}

pub(crate) use self::guides::{about, guide};

/// The dialog that `?` opens. It is part of every page, so that it needs no request.
pub(crate) fn dialog(cx: &Cx) -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { (t::keys(cx)) }
            (keys(cx))
            form method="dialog" { button autofocus { (t::close(cx)) } }
        }
    }
}

fn keys(cx: &Cx) -> Markup {
    let keys: [(&[&str], &str); 7] = [
        (&["/"], t::key_search(cx)),
        (&["j", "k"], t::key_move(cx)),
        (&["Enter"], t::key_open(cx)),
        (&["x"], t::key_select(cx)),
        (&["t"], t::key_theme(cx)),
        (&["?"], t::key_help(cx)),
        (&["Esc"], t::key_close(cx)),
    ];
    html! {
        table.keys {
            caption.hide { (t::keys(cx)) }
            tbody {
                @for (names, what) in keys {
                    tr { td { @for name in names { kbd { (name) } " " } } th scope="row" { (what) } }
                }
                @for area in Area::ALL {
                    tr { td { kbd { "g" } " " kbd { (area.letter()) } } th scope="row" { (t::key_go(cx, area.label(cx))) } }
                }
            }
        }
    }
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    let body = html! {
        (guides::list(&cx))
        (ui::panel(t::keys(&cx), &keys(&cx)))
        (ui::panel(t::reading(&cx), &html! {
            p { (t::help_time(&cx)) }
            p { (t::help_address(&cx)) }
            p { (t::help_states(&cx)) }
            p.badges { @for state in ui::badge::State::ALL { (state.badge(&cx)) " " } }
        }))
    };
    Page::new(&cx, t::help(&cx)).body(body).render().await
}

async fn about_server(cx: Cx) -> Result<Response, Failure> {
    let status: Status = cx.api.get("/status", &()).await?;
    let address =
        |text: &Option<String>| html! { @match text { Some(text) => code { (text) }, None => (t::off(&cx)) } };
    let body = ui::panel(
        t::this_server(&cx),
        &ui::facts([
            (t::version(&cx).to_owned(), html! { (status.version) }),
            (t::server_id(&cx).to_owned(), html! { code { (status.server_id) } }),
            (t::started(&cx).to_owned(), ui::time(&cx, status.started_at)),
            (t::client_plane(&cx).to_owned(), address(&status.endpoints.client_http)),
            (t::client_plane_tls(&cx).to_owned(), address(&status.endpoints.client_https)),
            (t::server_plane(&cx).to_owned(), address(&status.endpoints.server)),
            (t::admin_plane(&cx).to_owned(), address(&status.endpoints.admin)),
            (t::licence(&cx).to_owned(), html! { "MIT / Apache-2.0" }),
            (t::interface(&cx).to_owned(), html! { a href={ (weir_api::PREFIX) "/openapi.json" } { "openapi.json" } }),
        ]),
    );
    Page::new(&cx, t::about(&cx)).body(body).render().await
}
