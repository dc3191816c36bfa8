//! The tree of what can be synchronized, as check boxes. A family that is chosen as a whole covers what comes below it later, so
//! what is below it has no boxes of its own until the family is opened for single choices.

use std::collections::BTreeSet;

use maud::{Markup, html};
use uuid::Uuid;
use weir_api::selection::Category;

use crate::{
    address::Address,
    cx::Cx,
    texts::selection as t,
    ui::{
        badge::{Tone, badge},
        icon::Icon,
    },
};

/// How the tree is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// Only what has this text in its title, with what is above and below.
    pub(super) text: Option<String>,
    /// Only what is chosen.
    pub(super) only_chosen: bool,
    /// Families whose products are chosen one by one.
    pub(super) single: BTreeSet<Uuid>,
    /// With boxes.
    pub(super) open: bool,
}

impl View {
    /// What the address asks for.
    pub(super) fn of(cx: &Cx, open: bool) -> Self {
        Self {
            text: cx.address.value("text").map(str::to_lowercase),
            only_chosen: cx.address.value("only") == Some("chosen"),
            single: cx.address.values("single").filter_map(|id| id.parse().ok()).collect(),
            open,
        }
    }

    /// Whether the view leaves something out.
    pub(super) fn narrows(&self) -> bool {
        self.text.is_some() || self.only_chosen
    }

    fn has_text(&self, category: &Category) -> bool {
        self.text.as_ref().is_none_or(|text| category.title.to_lowercase().contains(text))
    }

    /// Whether a category, or something below it, is shown.
    fn shows(&self, category: &Category, above: bool) -> bool {
        let found = above || self.has_text(category);
        let here = found && (!self.only_chosen || chosen(category) > 0);
        here || category.children.iter().any(|child| self.shows(child, found && self.text.is_some()))
    }
}

/// What can be chosen at or below a category.
pub(super) fn leaves(category: &Category) -> u64 {
    if category.children.is_empty() { 1 } else { category.children.iter().map(leaves).sum() }
}

/// What of that is chosen.
pub(super) fn chosen(category: &Category) -> u64 {
    if category.children.is_empty() { u64::from(category.selected) } else { category.children.iter().map(chosen).sum() }
}

/// The tree, and the categories that have boxes in it.
pub(super) fn show(cx: &Cx, tree: &[Category], view: &View) -> (Markup, Vec<Uuid>) {
    let mut seen = Vec::new();
    let list = branches(cx, tree, view, Place::default(), &mut seen);
    (list, seen)
}

/// Where in the tree one is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Below a family that is chosen as a whole.
    covered: bool,
    /// Below a family that is chosen as a whole and opened for single choices.
    inherited: bool,
    /// Below something that has the text.
    found: bool,
}

fn branches(cx: &Cx, categories: &[Category], view: &View, place: Place, seen: &mut Vec<Uuid>) -> Markup {
    html! {
        ul.twigs {
            @for category in categories.iter().filter(|category| view.shows(category, place.found)) {
                li { (branch(cx, category, view, place, seen)) }
            }
        }
    }
}

fn branch(cx: &Cx, category: &Category, view: &View, place: Place, seen: &mut Vec<Uuid>) -> Markup {
    let leaf = category.children.is_empty();
    let asked = category.chosen || place.inherited;
    let whole = !leaf && !place.covered && asked && !view.single.contains(&category.id);
    let on = if leaf { category.selected || place.inherited } else { whole };
    let below = Place {
        covered: place.covered || whole,
        inherited: !place.covered && !whole && asked,
        found: place.found || (view.text.is_some() && view.has_text(category)),
    };
    let boxed = view.open && !place.covered;
    if boxed {
        seen.push(category.id);
    }
    let (all, some) = (leaves(category), chosen(category));
    let opened =
        view.text.is_some() || view.only_chosen || (some > 0 && some < all) || view.single.contains(&category.id);
    html! {
        div.twig {
            @if boxed {
                label.check {
                    input type="checkbox" name="id" value=(category.id) checked[on];
                    span { (category.title) @if !leaf { span.quiet { " " (t::with_all_below(cx)) } } }
                }
            } @else {
                span.check {
                    @if on || place.covered { (Icon::Check.show()) span.hide { (t::is_chosen(cx)) ": " } }
                    span.quiet[!on && !place.covered] { (category.title) }
                }
            }
            @if !leaf { span.quiet { (t::of_below(cx, all, crate::ui::number(cx, some))) } }
            @if category.excluded_by_default { (badge(Tone::Plain, t::excluded(cx))) }
            @if leaf && !category.holds_updates { (badge(Tone::Plain, t::holds_none(cx))) }
            @if view.open && whole {
                a href=(single(cx, category)) { (t::choose_single(cx)) }
            }
        }
        @if !leaf {
            details open[opened] {
                summary { (t::below(cx, &category.title)) }
                (branches(cx, &category.children, view, below, seen))
            }
        }
    }
}

fn single(cx: &Cx, category: &Category) -> Address {
    cx.address.and("single", category.id)
}

/// What is to be chosen: what is now and had no box, and the boxes that are on.
pub(super) fn wanted(tree: &[Category], seen: &BTreeSet<Uuid>, on: &BTreeSet<Uuid>) -> BTreeSet<Uuid> {
    fn walk(categories: &[Category], seen: &BTreeSet<Uuid>, out: &mut BTreeSet<Uuid>) {
        for category in categories {
            if category.chosen && !seen.contains(&category.id) {
                out.insert(category.id);
            }
            walk(&category.children, seen, out);
        }
    }
    let mut out = on.clone();
    walk(tree, seen, &mut out);
    out
}

/// What is chosen now, each as itself.
pub(super) fn present(tree: &[Category]) -> BTreeSet<Uuid> {
    wanted(tree, &BTreeSet::new(), &BTreeSet::new())
}

/// Titles of some of the tree.
pub(super) fn titles(tree: &[Category], ids: &BTreeSet<Uuid>) -> Vec<String> {
    let mut out = Vec::new();
    for category in tree {
        if ids.contains(&category.id) {
            out.push(category.title.clone());
        }
        out.extend(titles(&category.children, ids));
    }
    out
}

#[cfg(test)]
mod tests {
    use catalogue::*;

    use super::*;

    /// Categories as REST gives them.
    mod catalogue {
        use serde_json::{Value, json};
        use uuid::Uuid;
        use weir_api::selection::Category;

        pub(super) fn id(number: u128) -> Uuid {
            Uuid::from_u128(number)
        }

        fn value(number: u128, title: &str, chosen: bool, selected: bool, children: Vec<Value>) -> Value {
            let kind = if children.is_empty() { "product" } else { "product_family" };
            json!({"id": id(number), "kind": kind, "title": title, "revision": 1, "selected": selected, "chosen": chosen,
                "holds_updates": true, "excluded_by_default": false, "children": children})
        }

        /// A family as a whole, one of which a product is chosen, and one of which nothing is.
        pub(super) fn tree() -> Vec<Category> {
            let windows =
                vec![value(11, "Windows 10", false, true, vec![]), value(12, "Windows 11", false, true, vec![])];
            let office =
                vec![value(21, "Office 2019", true, true, vec![]), value(22, "Office 2021", false, false, vec![])];
            let sql = vec![value(31, "SQL Server 2022", false, false, vec![])];
            let tree = json!([
                value(1, "Windows", true, true, windows),
                value(2, "Office", false, false, office),
                value(3, "SQL Server", false, false, sql)
            ]);
            serde_json::from_value(tree).unwrap()
        }
    }

    fn ids(numbers: &[u128]) -> BTreeSet<Uuid> {
        numbers.iter().map(|number| id(*number)).collect()
    }

    #[test]
    fn what_had_no_box_stays_as_it_is() {
        let tree = tree();
        assert_eq!(present(&tree), ids(&[1, 21]));
        // a search that showed SQL Server only
        assert_eq!(wanted(&tree, &ids(&[3, 31]), &ids(&[31])), ids(&[1, 21, 31]));
        // the family off, whose products had no boxes
        assert_eq!(wanted(&tree, &ids(&[1, 2, 21, 22, 3, 31]), &ids(&[21])), ids(&[21]));
        // single choices: the family off, one of its products on
        assert_eq!(wanted(&tree, &ids(&[1, 11, 12]), &ids(&[12])), ids(&[12, 21]));
    }

    #[test]
    fn families_count_what_is_below_them() {
        let tree = tree();
        assert_eq!((leaves(&tree[1]), chosen(&tree[1])), (2, 1));
        assert_eq!(titles(&tree, &ids(&[1, 22])), ["Windows", "Office 2021"]);
        let view = View { text: Some("office 2021".to_owned()), ..View::default() };
        assert!(view.shows(&tree[1], false) && !view.shows(&tree[0], false));
        let view = View { only_chosen: true, ..View::default() };
        assert!(view.shows(&tree[0], false) && !view.shows(&tree[2], false));
    }
}
