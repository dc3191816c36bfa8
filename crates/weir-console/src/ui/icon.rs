//! Pictures of 16 by 16, drawn with strokes of the text's colour. They never stand alone: a word is beside them.

use maud::{Markup, html};

/// A picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Icon {
    /// A bell.
    Bell,
    /// Bars.
    Chart,
    /// A tick.
    Check,
    /// A screen.
    Computer,
    /// Two sheets.
    Copy,
    /// A cross.
    Cross,
    /// A dash.
    Dash,
    /// A sheet with an arrow.
    Download,
    /// A needle over a scale.
    Gauge,
    /// A turning arrow.
    Jobs,
    /// A box.
    Package,
    /// Somebody.
    Person,
    /// A question mark.
    Question,
    /// An arrow that comes back.
    Restart,
    /// Steps upwards.
    Rollout,
    /// A lens.
    Search,
    /// Boxes above each other.
    Server,
    /// Sliders.
    Sliders,
    /// A triangle.
    Warning,
    /// Water over an edge.
    Weir,
}

impl Icon {
    fn strokes(self) -> &'static str {
        match self {
            Self::Bell => "M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3L4 11M6.5 14.5h3",
            Self::Chart => "M2 14h12M4 12V8M8 12V3M12 12V6",
            Self::Check => "M3 8.5 6.5 12 13 4.5",
            Self::Computer => "M2 3h12v8H2zM5.5 14h5M8 11v3",
            Self::Copy => "M6 5h8v9H6zM10 5V2H2v9h4",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Dash => "M4 8h8",
            Self::Download => "M8 2v8M4.5 7 8 10.5 11.5 7M3 14h10",
            Self::Gauge => "M2.5 12a6 6 0 1 1 11 0M8 10l3-4",
            Self::Jobs => "M13.5 8a5.5 5.5 0 1 1-1.6-3.9M12 1.5v3H9",
            Self::Package => "M2 5l6-3 6 3v6.5L8 14.5l-6-3V5M2 5l6 3 6-3M8 8v6.5",
            Self::Person => {
                "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14.5c.5-3 2.500-4.500 5.500-4.500s5 1.500 5.500 4.500"
            }
            Self::Question => "M5.500 6a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M8 13v.2",
            Self::Restart => "M3 8a5 5 0 1 0 1.600-3.700M3 2.500v3h3",
            Self::Rollout => "M2 13h3v-3h3V7h3V4h3",
            Self::Search => "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10M10.800 10.800 14 14",
            Self::Server => "M2 2.500h12v4.500H2zM2 9h12v4.500H2zM4.500 4.800h1M4.500 11.300h1",
            Self::Sliders => "M2 4h6M12 4h2M10 2.500v3M2 8h2M8 8h6M6 6.500v3M2 12h7M13 12h1M11 10.500v3",
            Self::Warning => "M8 2 14.500 13.500h-13L8 2M8 6.500v3.500M8 11.800v.2",
            Self::Weir => "M1 4h6v8M7 4c4 0 4 8 8 8M1 8h6M1 12h14",
        }
    }

    /// Draws it, hidden from those who do not see it.
    pub(crate) fn show(self) -> Markup {
        html! { svg.icon width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" { path d=(self.strokes()) {} } }
    }
}
