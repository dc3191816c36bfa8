//! Tabs: links to parts of an object, each with its own address.

use maud::{Markup, html};

use crate::{address::Address, cx::Cx, texts::common as t, ui};

/// A tab.
#[derive(Clone, Debug)]
pub(crate) struct Tab {
    label: String,
    address: Address,
    number: Option<u64>,
    current: bool,
}

impl Tab {
    /// A tab that is the value of `tab` in the query; the first one is there without it.
    pub(crate) fn new(cx: &Cx, key: &str, first: bool, label: impl Into<String>) -> Self {
        let here = cx.address.value("tab");
        let base = Address::new(cx.address.path());
        let base = cx.address.value("site").map_or(base.clone(), |site| base.with("site", site));
        Self {
            label: label.into(),
            address: if first { base } else { base.with("tab", key) },
            number: None,
            current: here == Some(key) || (first && here.is_none()),
        }
    }

    /// A tab with an address of its own.
    pub(crate) fn link(label: impl Into<String>, address: Address, current: bool) -> Self {
        Self { label: label.into(), address, number: None, current }
    }

    /// With how many are behind it.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }
}

/// The row of tabs of a page.
pub(crate) fn tabs(cx: &Cx, tabs: &[Tab]) -> Markup {
    called(cx, t::tabs(cx), tabs)
}

/// A row of tabs that is called so: one beside that of the page has a name of its own.
pub(crate) fn called(cx: &Cx, name: &str, tabs: &[Tab]) -> Markup {
    html! {
        nav.tabs aria-label=(name) {
            ul {
                @for tab in tabs {
                    li {
                        a href=(tab.address) aria-current=[tab.current.then_some("page")] {
                            (tab.label)
                            @if let Some(number) = tab.number { " " span.number { (ui::short(cx, number)) } }
                        }
                    }
                }
            }
        }
    }
}
