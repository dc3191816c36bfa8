//! A picture of how figures grow: a panel for each case, size and figure on logarithmic scales, limits as broken lines. Plain SVG that
//! takes its colours from what the reader's system prefers, light or dark.

use std::fmt::Write as _;

use crate::{
    budgets::short,
    report::Measured,
    row::{Bound, Growth, Point},
};

/// Panels beside each other.
const COLUMNS: usize = 3;
/// A panel, and what is around its axes.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 34.0;
/// The name of a suite above its panels.
const HEADING: f64 = 40.0;
/// Around everything.
const MARGIN: f64 = 16.0;
/// Characters of a title that fit above a panel.
const TITLE: usize = 48;
/// A limit that is further from all figures than this factor is written, not drawn: the figures would be a flat line.
const FAR: f64 = 30.0;
/// How far the short line of a limit for one size goes to each side.
const REACH: f64 = 14.0;

const STYLE: &str = "svg{--paper:#fff;--ink:#1b2430;--faint:#5d6b7c;--grid:#e3e8ee;--line:#1f66c7;--limit:#b4430c;--missed:#c2183c;\
color-scheme:light dark;background:var(--paper);font:12px system-ui,sans-serif}\
@media (prefers-color-scheme:dark){svg{--paper:#12161c;--ink:#e4e9f0;--faint:#98a5b5;--grid:#2a323d;--line:#7fb2ff;--limit:#ffa45c;\
--missed:#ff7d92}}\
.paper{fill:var(--paper)}text{fill:var(--ink)}.faint{fill:var(--faint);font-size:11px}.suite{font-size:16px;font-weight:600}\
.title{font-weight:600}.grid{stroke:var(--grid);fill:none}.line{stroke:var(--line);stroke-width:2;fill:none}\
.limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:5 4;fill:none}.of-limit{fill:var(--limit);font-size:11px}\
.dot{fill:var(--line)}.missed{fill:var(--missed)}";

/// The picture of these suites; those without growth are left out.
pub fn svg(title: &str, suites: &[Measured]) -> String {
    let shown: Vec<(String, &[Growth])> = suites
        .iter()
        .map(|suite| (suite.name(), suite.figures.growth.as_slice()))
        .filter(|(_, growth)| !growth.is_empty())
        .collect();
    let mut body = String::new();
    let mut y = MARGIN;
    for (suite, growth) in shown {
        let _ = writeln!(body, r#"<text class="suite" x="{MARGIN}" y="{:.0}">{}</text>"#, y + 24.0, escaped(&suite));
        y += HEADING;
        for row in growth.chunks(COLUMNS) {
            for (column, growth) in row.iter().enumerate() {
                panel(&mut body, MARGIN + column as f64 * WIDTH, y, growth);
            }
            y += HEIGHT;
        }
    }
    if body.is_empty() {
        y += HEADING;
        let _ = writeln!(
            body,
            r#"<text x="{MARGIN}" y="{:.0}">Nothing was measured at two sizes or more.</text>"#,
            y - 16.0
        );
    }
    let (width, height) = (COLUMNS as f64 * WIDTH + 2.0 * MARGIN, y + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n{body}</svg>\n",
        escaped(title)
    )
}

/// From numbers to places on a line, by their logarithms.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Numbers between these two, with some room beside them. All are above 0.
    fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let room = ((high / low).ln() * 0.08).max(0.15);
        Self { low: low.ln() - room, high: high.ln() + room, from, to }
    }

    fn at(self, number: f64) -> f64 {
        self.from + (number.ln() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round numbers within it: 1, 2 and 5 times powers of ten, or the powers alone if those are enough.
    fn ticks(self) -> Vec<f64> {
        let (low, high) = (self.low.exp(), self.high.exp());
        let powers: Vec<i32> = (low.log10().floor() as i32..=high.log10().ceil() as i32).collect();
        let of = |steps: &[f64]| -> Vec<f64> {
            let all = powers.iter().flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(*power)));
            all.filter(|tick| (low..=high).contains(tick)).collect()
        };
        let tens = of(&[1.0]);
        if tens.len() >= 3 {
            // decades are close together: some are enough
            let every = tens.len().div_ceil(5);
            return tens.into_iter().step_by(every).collect();
        }
        let some = of(&[1.0, 2.0, 5.0]);
        if some.len() >= 2 { some } else { vec![f64::midpoint(low, high)] }
    }
}

/// The panel of a case at a place.
fn panel(out: &mut String, x: f64, y: f64, growth: &Growth) {
    let numbers = growth.points.iter().map(|point| point.value);
    let (mut low, mut high) = (numbers.clone().fold(f64::MAX, f64::min), numbers.fold(0.0, f64::max));
    let bounds: Vec<(Point, Bound)> = growth
        .points
        .iter()
        .filter_map(|point| Some((*point, point.bound.filter(|bound| bound.number() > 0.0)?)))
        .collect();
    let near = |bound: Bound, low: f64, high: f64| bound.number() < high * FAR && bound.number() > low / FAR;
    let (drawn, far): (Vec<_>, Vec<_>) = bounds.into_iter().partition(|(_, bound)| near(*bound, low, high));
    for (_, bound) in &drawn {
        low = low.min(bound.number());
        high = high.max(bound.number());
    }
    let sizes = growth.points.iter().map(|point| point.size as f64);
    let (least, most) = (sizes.clone().fold(f64::MAX, f64::min), sizes.fold(0.0, f64::max));
    let across = Scale::new(least, most, x + LEFT, x + WIDTH - RIGHT);
    let up = Scale::new(low, high, y + HEIGHT - BOTTOM, y + TOP);
    let name = growth.name();
    let _ = writeln!(out, "<g><title>{}</title>", escaped(&format!("{name}, {}", growth.unit)));
    let _ = writeln!(
        out,
        r#"<text class="title" x="{:.1}" y="{:.1}">{}</text>"#,
        x + 4.0,
        y + 16.0,
        escaped(&cut(&name, TITLE))
    );
    let mut under = format!("{}; {} to the power of {:.2}", growth.unit, growth.size_of.name(), growth.exponent);
    if let Some((_, bound)) = far.first() {
        let _ = write!(under, "; asked {} {}", bound.sign(), short(bound.number()));
    }
    let _ = writeln!(
        out,
        r#"<text class="faint" x="{:.1}" y="{:.1}">{}</text>"#,
        x + 4.0,
        y + 32.0,
        escaped(&cut(&under, TITLE + 8))
    );
    grid(out, across, up, growth);
    limits(out, across, up, &drawn, growth.points.len());
    let places: Vec<(f64, f64)> =
        growth.points.iter().map(|point| (across.at(point.size as f64), up.at(point.value))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(out, r#"<polyline class="line" points="{}"/>"#, path.join(" "));
    for (point, (x, y)) in growth.points.iter().zip(places) {
        let class = if point.holds() { "dot" } else { "missed" };
        let _ = writeln!(
            out,
            r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4"><title>{} at {}</title></circle>"#,
            short(point.value),
            point.size
        );
    }
    out.push_str("</g>\n");
}

/// Lines of round numbers, and the sizes that were measured.
fn grid(out: &mut String, across: Scale, up: Scale, growth: &Growth) {
    for tick in up.ticks() {
        let place = up.at(tick);
        let _ = writeln!(out, r#"<path class="grid" d="M{:.1} {place:.1}H{:.1}"/>"#, across.from, across.to);
        let _ = writeln!(
            out,
            r#"<text class="faint" text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
            across.from - 6.0,
            place + 4.0,
            compact(tick)
        );
    }
    for point in &growth.points {
        let place = across.at(point.size as f64);
        let _ = writeln!(out, r#"<path class="grid" d="M{place:.1} {:.1}V{:.1}"/>"#, up.from, up.to);
        let _ = writeln!(
            out,
            r#"<text class="faint" text-anchor="middle" x="{place:.1}" y="{:.1}">{}</text>"#,
            up.from + 16.0,
            compact(point.size as f64)
        );
    }
}

/// Limits: one line if all sizes have the same, else a short one at each size.
fn limits(out: &mut String, across: Scale, up: Scale, drawn: &[(Point, Bound)], sizes: usize) {
    let Some((_, first)) = drawn.first() else { return };
    let same = drawn.len() == sizes && drawn.iter().all(|(_, bound)| bound == first);
    for (point, bound) in drawn.iter().take(if same { 1 } else { sizes }) {
        let (height, middle) = (up.at(bound.number()), across.at(point.size as f64));
        let (from, to) = if same { (across.from, across.to) } else { (middle - REACH, middle + REACH) };
        let _ = writeln!(out, r#"<path class="limit" d="M{from:.1} {height:.1}H{to:.1}"/>"#);
        let _ = writeln!(
            out,
            r#"<text class="of-limit" text-anchor="end" x="{to:.1}" y="{:.1}">{}</text>"#,
            height - 4.0,
            escaped(&format!("{} {}", bound.sign(), compact(bound.number())))
        );
    }
}

/// A number that fits beside an axis.
fn compact(number: f64) -> String {
    let (value, letter) = match number {
        _ if number >= 1e9 => (number / 1e9, "G"),
        _ if number >= 1e6 => (number / 1e6, "M"),
        _ if number >= 1e3 => (number / 1e3, "k"),
        _ => return if number >= 0.01 { ((number * 1e4).round() / 1e4).to_string() } else { format!("{number:.0e}") },
    };
    format!("{}{letter}", (value * 10.0).round() / 10.0)
}

/// Text of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// Text as it may stand in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::{measured, measured_on},
        row::{Database, Limit, Row},
        suite::Suite,
    };

    fn rows(values: [f64; 3], limit: Option<f64>) -> Vec<Row> {
        let row = |(size, value)| {
            let row = Row { case: "swap & <go>".to_owned(), revisions: size, value, unit: "ms", ..Row::default() };
            row.within_if(limit.is_some(), limit.map(Limit::most).into_iter().collect::<Vec<_>>())
        };
        [2_000, 20_000, 100_000].into_iter().zip(values).map(row).collect()
    }

    fn drawn(rows: Vec<Row>) -> String {
        svg("bench", &[measured(Suite::Scan, rows)])
    }

    #[test]
    fn panels_say_which_database_they_are_of() {
        let suites = [None, Some(Database::Sqlite), Some(Database::Postgresql)]
            .map(|database| measured_on(database, Suite::Scan, rows([5.0, 20.0, 80.0], None)));
        let picture = svg("bench", &suites);
        for heading in [">scan<", ">scan on sqlite<", ">scan on postgresql<"] {
            assert_eq!(picture.matches(heading).count(), 1, "{heading}");
        }
        assert_eq!(picture.matches("&lt;go&gt;, postgresql</text>").count(), 1);
    }

    /// It is well-formed XML, with what a reader of it needs.
    #[test]
    fn the_picture_is_xml() {
        let picture = drawn(rows([5.0, 20.0, 80.0], Some(60.0)));
        let mut reader = quick_xml::Reader::from_str(&picture);
        let (mut circles, mut lines) = (0, 0);
        loop {
            match reader.read_event().expect("well-formed") {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(element) => circles += usize::from(element.name().as_ref() == "circle"),
                quick_xml::events::Event::Empty(element) => lines += usize::from(element.name().as_ref() == "polyline"),
                _ => {}
            }
        }
        assert_eq!((circles, lines), (3, 1));
        assert!(picture.contains("swap &amp; &lt;go&gt;") && picture.contains("prefers-color-scheme:dark"));
        assert_eq!(picture.matches("class=\"missed\"").count(), 1, "80 ms is above 60 ms");
        assert_eq!(picture.matches("class=\"limit\"").count(), 1, "one line for all sizes");
        assert!(picture.contains("&lt;= 60</text>"));
    }

    #[test]
    fn limits_of_one_size_are_short() {
        let mut all = rows([5.0, 20.0, 80.0], None);
        all[1].limits.push(Limit::most(60.0));
        all[2].limits.push(Limit::most(300.0));
        let picture = drawn(all);
        assert_eq!(picture.matches("class=\"limit\"").count(), 2);
        // one that would flatten the figures is written
        let picture = drawn(rows([0.1, 0.2, 0.3], Some(350.0)));
        assert_eq!(picture.matches("class=\"limit\"").count(), 0);
        assert!(picture.contains("asked &lt;= 350"));
    }

    #[test]
    fn nothing_that_grows_is_said() {
        let picture = drawn(rows([f64::NAN, 1.0, f64::NAN], None));
        assert!(picture.contains("Nothing was measured at two sizes or more."));
        assert!(!picture.contains("NaN"));
    }

    #[test]
    fn scales_keep_order_and_have_round_ticks() {
        let scale = Scale::new(2_000.0, 100_000.0, 0.0, 100.0);
        let places: Vec<f64> = [2_000.0, 20_000.0, 100_000.0].map(|number| scale.at(number)).to_vec();
        assert!(places.is_sorted() && places.iter().all(|place| (0.0..=100.0).contains(place)), "{places:?}");
        for (low, high) in [(5.0, 80.0), (5.0, 5.0), (0.001, 4_000_000.0), (3.1, 3.3)] {
            let scale = Scale::new(low, high, 0.0, 100.0);
            let ticks = scale.ticks();
            assert!((1..=9).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
            assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&scale.at(*tick))), "{ticks:?}");
        }
        let names = [0.5, 20.0, 1_500.0, 20_000.0, 2e6, 5e9, 0.002].map(compact);
        assert_eq!(names, ["0.5", "20", "1.5k", "20k", "2M", "5G", "2e-3"]);
    }
}
