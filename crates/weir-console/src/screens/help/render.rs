//! Guides as HTML: Markdown with tables, no HTML of its own, headings with names, links to other guides.

use std::collections::HashMap;

use maud::{Markup, PreEscaped, Render as _, html};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::guides::{Guide, Leads, lead};
use crate::{cx::Cx, texts::common, ui::icon::Icon};

/// A heading of a guide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Heading {
    /// 1 to 6.
    pub(super) level: u8,
    /// Its name in the page.
    pub(super) id: String,
    /// What it says.
    pub(super) text: String,
}

/// A guide as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Rendered {
    /// Its first heading, which is the title of the page.
    pub(super) title: String,
    /// All others.
    pub(super) headings: Vec<Heading>,
    /// What stands below the title.
    pub(super) body: Markup,
}

/// Names of headings as they are made where repositories are read: small letters, blanks as hyphens, the second of a name with -1.
#[derive(Debug, Default)]
struct Names(HashMap<String, u32>);

impl Names {
    fn name(&mut self, text: &str) -> String {
        let kept = text.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let times = self.0.entry(name.clone()).or_default();
        *times += 1;
        if *times > 1 { format!("{name}-{}", *times - 1) } else { name }
    }
}

fn events(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// Makes it.
pub(super) fn render(cx: &Cx, guide: Guide) -> Rendered {
    let mut writer = Writer::new(cx, guide.path);
    for event in events(guide.text) {
        writer.event(event);
    }
    Rendered { title: writer.title, headings: writer.headings, body: PreEscaped(writer.out) }
}

struct Writer<'a> {
    cx: &'a Cx,
    from: &'a str,
    out: String,
    names: Names,
    title: String,
    headings: Vec<Heading>,
    /// The level of the heading under way, where it began, and its text so far.
    heading: Option<(u8, usize, String)>,
    /// The code under way.
    code: Option<String>,
    /// Whether each of the links under way was opened.
    links: Vec<bool>,
    /// In the head of a table.
    head: bool,
}

impl<'a> Writer<'a> {
    fn new(cx: &'a Cx, from: &'a str) -> Self {
        Self {
            cx,
            from,
            out: String::new(),
            names: Names::default(),
            title: String::new(),
            headings: Vec::new(),
            heading: None,
            code: None,
            links: Vec::new(),
            head: false,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(text) => {
                self.said(&text);
                self.put(&html! { code { (&*text) } });
            }
            // HTML is a text like any other
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                if let Some(code) = &mut self.code {
                    code.push_str(&text);
                } else {
                    self.said(&text);
                    self.put(&html! { (&*text) });
                }
            }
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.put(&html! { (&*text) });
            }
            Event::SoftBreak => {
                self.said(" ");
                self.out.push('\n');
            }
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            Event::TaskListMarker(done) => self.out.push_str(if done { "☑ " } else { "☐ " }),
        }
    }

    fn put(&mut self, markup: &Markup) {
        markup.render_to(&mut self.out);
    }

    /// Keeps what a heading says.
    fn said(&mut self, text: &str) {
        if let Some((_, _, said)) = &mut self.heading {
            said.push_str(text);
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let plain = match tag {
            Tag::Heading { level, .. } => {
                self.heading = Some((level as u8, self.out.len(), String::new()));
                return;
            }
            Tag::CodeBlock(_) => {
                self.code = Some(String::new());
                return;
            }
            Tag::Link { dest_url, .. } => {
                let escaped = |to: &str| html! { (to) }.into_string();
                let opened = match lead(self.from, &dest_url) {
                    Leads::Here(to) => format!("<a href=\"{}\">", escaped(&to)),
                    Leads::Out(to) => format!("<a href=\"{}\" rel=\"noopener noreferrer\">", escaped(&to)),
                    Leads::Nowhere => String::new(),
                };
                self.links.push(!opened.is_empty());
                self.out.push_str(&opened);
                return;
            }
            Tag::List(Some(first)) if first != 1 => {
                self.out.push_str(&format!("<ol start=\"{first}\">"));
                return;
            }
            Tag::TableHead => {
                self.head = true;
                "<thead><tr>"
            }
            Tag::TableCell if self.head => "<th scope=\"col\">",
            Tag::TableCell => "<td>",
            Tag::Paragraph => "<p>",
            Tag::BlockQuote(_) => "<blockquote>",
            Tag::List(Some(_)) => "<ol>",
            Tag::List(None) => "<ul>",
            Tag::Item => "<li>",
            Tag::Table(_) => "<div class=\"scroll\"><table>",
            Tag::TableRow => "<tr>",
            Tag::Emphasis => "<em>",
            Tag::Strong => "<strong>",
            // not switched on, or shown as the text that it has
            _ => "",
        };
        self.out.push_str(plain);
    }

    fn end(&mut self, tag: TagEnd) {
        let plain = match tag {
            TagEnd::Heading(_) => return self.end_heading(),
            TagEnd::CodeBlock => return self.end_code(),
            TagEnd::Link => return self.end_link(),
            TagEnd::TableHead => {
                self.head = false;
                "</tr></thead><tbody>"
            }
            TagEnd::TableCell if self.head => "</th>",
            TagEnd::TableCell => "</td>",
            TagEnd::Paragraph => "</p>",
            TagEnd::BlockQuote(_) => "</blockquote>",
            TagEnd::List(true) => "</ol>",
            TagEnd::List(false) => "</ul>",
            TagEnd::Item => "</li>",
            TagEnd::Table => "</tbody></table></div>",
            TagEnd::TableRow => "</tr>",
            TagEnd::Emphasis => "</em>",
            TagEnd::Strong => "</strong>",
            _ => "",
        };
        self.out.push_str(plain);
    }

    fn end_heading(&mut self) {
        let Some((level, began, text)) = self.heading.take() else { return };
        let inside = self.out.split_off(began);
        let id = self.names.name(&text);
        if level == 1 && self.title.is_empty() {
            // the page has it above
            self.title = text;
            return;
        }
        let inside = PreEscaped(inside);
        let heading = match level {
            1 | 2 => html! { h2 id=(id) { (inside) } },
            3 => html! { h3 id=(id) { (inside) } },
            _ => html! { h4 id=(id) { (inside) } },
        };
        self.put(&heading);
        self.headings.push(Heading { level: level.max(2), id, text });
    }

    fn end_link(&mut self) {
        if self.links.pop() == Some(true) {
            self.out.push_str("</a>");
        }
    }

    fn end_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        let cx = self.cx;
        let block = html! {
            div.listing {
                button type="button" data-copy=(code.trim_end()) data-copied=(common::copied(cx)) hidden { (Icon::Copy.show()) span lang=(cx.words().tag) { (common::copy(cx)) } }
                pre tabindex="0" { code { (code) } }
            }
        };
        self.put(&block);
    }
}

/// A heading of a guide with the text below it, up to the next one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part {
    /// What the heading says.
    pub(super) heading: String,
    /// Its name; empty for the first, which is the title.
    pub(super) id: String,
    /// The text below.
    pub(super) text: String,
}

impl Part {
    /// What follows the address of the guide.
    pub(super) fn anchor(&self) -> String {
        if self.id.is_empty() { String::new() } else { format!("#{}", self.id) }
    }
}

/// The parts of a guide, for a search.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut names, mut in_heading): (Vec<Part>, Names, bool) = (Vec::new(), Names::default(), false);
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                in_heading = true;
                parts.push(Part { heading: String::new(), id: String::new(), text: String::new() });
            }
            Event::End(TagEnd::Heading(_)) => {
                in_heading = false;
                let first = parts.len() == 1;
                if let Some(part) = parts.last_mut() {
                    let name = names.name(&part.heading);
                    part.id = if first { String::new() } else { name };
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(part) = parts.last_mut() {
                    let to = if in_heading { &mut part.heading } else { &mut part.text };
                    to.push_str(&text);
                }
            }
            // words of two lines are two words
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock)
                if !in_heading =>
            {
                if let Some(part) = parts.last_mut() {
                    part.text.push(' ');
                }
            }
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_named_as_where_repositories_are_read() {
        let mut names = Names::default();
        for (heading, name) in [
            ("What was sent cannot be read (400, 405, 413)", "what-was-sent-cannot-be-read-400-405-413"),
            ("The server's own certificate", "the-servers-own-certificate"),
            ("Time zones", "time-zones"),
            ("Time zones", "time-zones-1"),
            ("weir_admin_refused_total", "weir_admin_refused_total"),
        ] {
            assert_eq!(names.name(heading), name);
        }
    }

    #[test]
    fn a_search_finds_parts() {
        let parts = parts("# Guide\n\nBegin `here`.\n\n## A *part*\n\nover two\nlines\n");
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].heading.as_str(), parts[0].anchor().as_str()), ("Guide", ""));
        assert_eq!((parts[1].heading.as_str(), parts[1].anchor().as_str()), ("A part", "#a-part"));
        assert!(parts[0].text.contains("Begin here.") && parts[1].text.contains("over two lines"));
    }
}
